"""What happened to an order. Facts, past tense; an order is the fold of them."""

from oms.domain.events.credit import (
    StoreCreditExpired,
    StoreCreditIssued,
)
from oms.domain.events.editing import (
    OrderEditAccepted,
    OrderEditDeclined,
    OrderEdited,
)
from oms.domain.events.fulfillment import (
    FulfillmentOrderAccepted,
    FulfillmentOrderArrived,
    FulfillmentOrderCollected,
    FulfillmentOrderDelivered,
    FulfillmentOrderPacked,
    FulfillmentOrderPicked,
    FulfillmentOrderReady,
    FulfillmentOrderRejected,
    FulfillmentOrderShipped,
    FulfillmentOrderShortPicked,
    PackedParcel,
    ParcelScanned,
)
from oms.domain.events.holding import (
    AttentionResolved,
    HoldPlaced,
    HoldReleased,
    OrderNeedsAttention,
    OrderScreened,
)
from oms.domain.events.inquiries import (
    InquiryAnswered,
    InquiryAssigned,
    InquiryClassified,
    InquiryClosed,
    InquiryMessageReceived,
    InquiryNoted,
    InquiryOpened,
    InquiryOverdue,
    InquiryReopened,
    InquiryResolved,
)
from oms.domain.events.orders import (
    CancelledUnits,
    OrderCancelled,
    OrderCompleted,
    OrderLinesCancelled,
    OrderPlaced,
    UnitsFulfilledElsewhere,
)
from oms.domain.events.payments import (
    PaymentAmountCorrected,
    PaymentAuthorizationExpired,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentDisputeClosed,
    PaymentDisputed,
    PaymentOperationFailed,
    PaymentOperationRequested,
    PaymentOperationRetried,
    PaymentPending,
    PaymentRefunded,
    PaymentUnknown,
    PaymentVoided,
)
from oms.domain.events.promises import (
    FulfillmentOrderUpgraded,
    PromiseRevised,
)
from oms.domain.events.refunds import (
    RefundGranted,
)
from oms.domain.events.returns import (
    ExchangePlaced,
    ReturnApproved,
    ReturnCancelled,
    ReturnCompleted,
    ReturnDeclined,
    ReturnExpired,
    ReturnInspected,
    ReturnLabelIssued,
    ReturnParcelScanned,
    ReturnReceived,
    ReturnRequested,
    ReturnSettled,
)
from oms.domain.events.routing import (
    Assigned,
    BackorderReleased,
    BackorderRescheduled,
    OrderBackordered,
    OrderRouted,
    OrderRoutingAbandoned,
    OrderRoutingDeferred,
    OrderRoutingPlanned,
    RejectedLocation,
    RoutingRecord,
)
from oms.domain.events.stock import (
    LocationChanged,
    StockFreed,
    StockLow,
    StockOut,
    StockReceived,
    StockSettled,
)

Event = (
    OrderPlaced
    | PaymentAuthorized
    | PaymentPending
    | PaymentUnknown
    | PaymentDeclined
    | PaymentOperationRequested
    | PaymentCaptured
    | PaymentVoided
    | PaymentRefunded
    | PaymentAmountCorrected
    | PaymentOperationFailed
    | PaymentOperationRetried
    | OrderRoutingPlanned
    | OrderRoutingAbandoned
    | OrderRouted
    | OrderBackordered
    | OrderRoutingDeferred
    | BackorderRescheduled
    | BackorderReleased
    | HoldPlaced
    | HoldReleased
    | OrderScreened
    | OrderNeedsAttention
    | AttentionResolved
    | FulfillmentOrderAccepted
    | FulfillmentOrderPicked
    | FulfillmentOrderPacked
    | FulfillmentOrderRejected
    | FulfillmentOrderShortPicked
    | FulfillmentOrderArrived
    | FulfillmentOrderReady
    | FulfillmentOrderCollected
    | FulfillmentOrderShipped
    | ParcelScanned
    | FulfillmentOrderDelivered
    | FulfillmentOrderUpgraded
    | PromiseRevised
    | OrderLinesCancelled
    | UnitsFulfilledElsewhere
    | OrderCancelled
    | StockSettled
    | PaymentAuthorizationExpired
    | PaymentDisputed
    | PaymentDisputeClosed
    | OrderEditAccepted
    | OrderEdited
    | OrderEditDeclined
    | RefundGranted
    | ReturnRequested
    | ReturnApproved
    | ReturnDeclined
    | ReturnLabelIssued
    | ReturnParcelScanned
    | ReturnReceived
    | ReturnInspected
    | ReturnSettled
    | ExchangePlaced
    | ReturnCompleted
    | ReturnCancelled
    | ReturnExpired
    | OrderCompleted
)

__all__ = [
    "Assigned",
    "AttentionResolved",
    "BackorderReleased",
    "BackorderRescheduled",
    "CancelledUnits",
    "Event",
    "ExchangePlaced",
    "FulfillmentOrderAccepted",
    "FulfillmentOrderArrived",
    "FulfillmentOrderCollected",
    "FulfillmentOrderDelivered",
    "FulfillmentOrderPacked",
    "FulfillmentOrderPicked",
    "FulfillmentOrderReady",
    "FulfillmentOrderRejected",
    "FulfillmentOrderShipped",
    "FulfillmentOrderShortPicked",
    "FulfillmentOrderUpgraded",
    "HoldPlaced",
    "HoldReleased",
    "InquiryAnswered",
    "InquiryAssigned",
    "InquiryClassified",
    "InquiryClosed",
    "InquiryMessageReceived",
    "InquiryNoted",
    "InquiryOpened",
    "InquiryOverdue",
    "InquiryReopened",
    "InquiryResolved",
    "LocationChanged",
    "OrderBackordered",
    "OrderCancelled",
    "OrderCompleted",
    "OrderEditAccepted",
    "OrderEditDeclined",
    "OrderEdited",
    "OrderLinesCancelled",
    "OrderNeedsAttention",
    "OrderPlaced",
    "OrderRouted",
    "OrderRoutingAbandoned",
    "OrderRoutingDeferred",
    "OrderRoutingPlanned",
    "OrderScreened",
    "PackedParcel",
    "ParcelScanned",
    "PaymentAmountCorrected",
    "PaymentAuthorizationExpired",
    "PaymentAuthorized",
    "PaymentCaptured",
    "PaymentDeclined",
    "PaymentDisputeClosed",
    "PaymentDisputed",
    "PaymentOperationFailed",
    "PaymentOperationRequested",
    "PaymentOperationRetried",
    "PaymentPending",
    "PaymentRefunded",
    "PaymentUnknown",
    "PaymentVoided",
    "PromiseRevised",
    "RefundGranted",
    "RejectedLocation",
    "ReturnApproved",
    "ReturnCancelled",
    "ReturnCompleted",
    "ReturnDeclined",
    "ReturnExpired",
    "ReturnInspected",
    "ReturnLabelIssued",
    "ReturnParcelScanned",
    "ReturnReceived",
    "ReturnRequested",
    "ReturnSettled",
    "RoutingRecord",
    "StockFreed",
    "StockLow",
    "StockOut",
    "StockReceived",
    "StockSettled",
    "StoreCreditExpired",
    "StoreCreditIssued",
    "UnitsFulfilledElsewhere",
]
