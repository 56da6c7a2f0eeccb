"""An inquiry as staff see it."""

from __future__ import annotations

from collections.abc import Iterable

from oms.contracts.api import inquiries as v
from oms.domain.inquiries.canned import CannedAnswer
from oms.domain.inquiries.model import Inquiry, Resolution


def inquiry_row(inquiry: Inquiry) -> v.InquiryRowView:
    return v.InquiryRowView(
        inquiry_id=inquiry.inquiry_id,
        reference=inquiry.reference,
        state=inquiry.state,
        overdue=inquiry.is_overdue,
        category=inquiry.category,
        priority=inquiry.priority,
        origin=inquiry.origin,
        customer_id=inquiry.customer_id,
        order_id=inquiry.order_id,
        line_id=inquiry.line_id,
        return_id=inquiry.return_id,
        assignee=inquiry.assignee,
        language=inquiry.language,
        opened_at=inquiry.opened_at,
        opened_by=inquiry.opened_by,
        updated_at=inquiry.updated_at,
        answered_at=inquiry.answered_at,
        due_at=inquiry.due_at,
        missed=list(inquiry.missed),
        texts=inquiry.texts,
        reopened=inquiry.reopened,
        follows=inquiry.follows,
        resolutions=[_resolution(each) for each in inquiry.resolutions],
    )


def inquiry_view(
    inquiry: Inquiry, seconds: int, texts: Iterable[v.InquiryTextView]
) -> v.InquiryView:
    row = inquiry_row(inquiry)
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    return v.InquiryView(**fields, seconds=seconds, messages=list(texts))


def canned_view(answer: CannedAnswer) -> v.CannedAnswerView:
    wordings = [v.WordingView(each.language, each.text) for each in answer.wordings]
    return v.CannedAnswerView(answer.answer_id, answer.title, answer.category, wordings)


def _resolution(done: Resolution) -> v.ResolutionView:
    return v.ResolutionView(done.deed, done.at, done.actor, done.outcome, done.amount)
