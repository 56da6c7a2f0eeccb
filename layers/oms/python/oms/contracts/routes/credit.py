"""Routes of store credit and gift cards."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/customers/{customer_id}/store-credit", "CreditApi", "credit.read",
          None, "StoreCredit", "See a customer's store credit and what has moved it"),
    Route("POST", "/customers/{customer_id}/store-credit", "CreditApi", "credit.write",
          "IssueCredit", "StoreCredit", "Issue store credit to a customer"),
    Route("POST", "/customers/{customer_id}/store-credit/adjustments", "CreditApi", "credit.write",
          "AdjustCredit", "StoreCredit", "Correct a customer's store credit, with a reason"),
    Route("POST", "/gift-cards", "CreditApi", "credit.write",
          "IssueGiftCard", "GiftCard", "Issue a gift card; its code is answered once"),
    Route("POST", "/gift-cards/lookup", "CreditApi", "credit.read",
          "GiftCardCode", "GiftCardBalance", "See what can be spent of the card with this code"),
    Route("GET", "/gift-cards/{gift_card_id}", "CreditApi", "credit.read",
          None, "GiftCard", "See a gift card and what has moved it"),
    Route("POST", "/gift-cards/{gift_card_id}/code", "CreditApi", "credit.write",
          None, "GiftCard", "Give a code to the gift card that a return was paid out to"),
    Route("POST", "/gift-cards/{gift_card_id}/cancel", "CreditApi", "credit.write",
          "CancelGiftCard", "GiftCard", "Write off a gift card; orders keep what they hold of it"),
)
# fmt: on
