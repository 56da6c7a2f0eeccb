"""Routes of what customers ask."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("POST", "/inquiries", "ServiceApi", "service",
          "OpenInquiry", "InquiryRow", "Open an inquiry for a customer, about an order or none"),
    Route("GET", "/inquiries", "ServiceApi", "service",
          None, "InquiryPage", "List inquiries by their deadlines, overdue ones first"),
    Route("GET", "/inquiries/canned-answers", "ServiceApi", "service",
          None, "CannedAnswers", "See the answers that are written once"),
    Route("PUT", "/inquiries/canned-answers/{answer_id}", "ServiceApi", "service",
          "PutCannedAnswer", "CannedAnswer", "Write a canned answer; its blanks are checked"),
    Route("GET", "/inquiries/{inquiry_id}", "ServiceApi", "service",
          None, "Inquiry", "See an inquiry and what was written; it is logged who has"),
    Route("POST", "/inquiries/{inquiry_id}/messages", "ServiceApi", "service",
          "SendMessage", "InquiryRow", "Answer the customer, by mail"),
    Route("POST", "/inquiries/{inquiry_id}/notes", "ServiceApi", "service",
          "AddNote", "InquiryRow", "Note something that only staff see"),
    Route("POST", "/inquiries/{inquiry_id}/assign", "ServiceApi", "service",
          "AssignInquiry", "InquiryRow", "Give it to somebody, or another category or priority"),
    Route("POST", "/inquiries/{inquiry_id}/resolve", "ServiceApi", "service",
          "ResolveInquiry", "InquiryRow", "Resolve it: a word, a refund, a resend, a cancellation"),
    Route("POST", "/inquiries/{inquiry_id}/reopen", "ServiceApi", "service",
          None, "InquiryRow", "Open again what was resolved"),
    Route("POST", "/inquiries/{inquiry_id}/close", "ServiceApi", "service",
          None, "InquiryRow", "Close it for good"),
    Route("GET", "/orders/{order_id}/timeline", "ServiceApi", "service",
          None, "TimelinePage", "See in words what happened to an order, and who did it"),
    Route("GET", "/track/{token}/inquiry", "TrackingPage", None,
          None, None, "For the customer: a page to ask us something"),
    Route("POST", "/track/{token}/inquiry", "TrackingPage", None,
          None, None, "For the customer: ask us something by the page's form"),
)
# fmt: on
