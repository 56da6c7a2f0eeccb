"""What can be asked of an order. Imperative; each is answered by events or by a refusal."""

from oms.domain.commands.fulfillment import (
    AcceptFulfillmentOrder,
    CancelPickup,
    CollectFulfillmentOrder,
    DeliverFulfillmentOrder,
    PackFulfillmentOrder,
    PickFulfillmentOrder,
    ReadyFulfillmentOrder,
    RecordScans,
    RejectFulfillmentOrder,
    ShipFulfillmentOrder,
    ShortPickFulfillmentOrder,
    TakeBackFulfillmentOrder,
)
from oms.domain.commands.holding import (
    PlaceHold,
    RaiseAttention,
    ReleaseHold,
    ResolveAttention,
)
from oms.domain.commands.orders import (
    CancelOrder,
    PlaceOrder,
    TenderGiven,
)
from oms.domain.commands.payments import (
    RecordPaymentResult,
    RetryPaymentOperation,
)
from oms.domain.commands.routing import (
    AbandonRouting,
    Backorder,
    DeferRouting,
    PlanRouting,
    RecordRouting,
    ReleaseBackorder,
    RescheduleBackorder,
    SettleStock,
)

Command = (
    RecordPaymentResult
    | RetryPaymentOperation
    | PlanRouting
    | AbandonRouting
    | RecordRouting
    | DeferRouting
    | Backorder
    | RescheduleBackorder
    | ReleaseBackorder
    | PlaceHold
    | ReleaseHold
    | RaiseAttention
    | ResolveAttention
    | AcceptFulfillmentOrder
    | PickFulfillmentOrder
    | PackFulfillmentOrder
    | RejectFulfillmentOrder
    | TakeBackFulfillmentOrder
    | ShortPickFulfillmentOrder
    | ReadyFulfillmentOrder
    | CollectFulfillmentOrder
    | CancelPickup
    | ShipFulfillmentOrder
    | DeliverFulfillmentOrder
    | RecordScans
    | CancelOrder
    | SettleStock
)

__all__ = [
    "AbandonRouting",
    "AcceptFulfillmentOrder",
    "Backorder",
    "CancelOrder",
    "CancelPickup",
    "CollectFulfillmentOrder",
    "Command",
    "DeferRouting",
    "DeliverFulfillmentOrder",
    "PackFulfillmentOrder",
    "PickFulfillmentOrder",
    "PlaceHold",
    "PlaceOrder",
    "PlanRouting",
    "RaiseAttention",
    "ReadyFulfillmentOrder",
    "RecordPaymentResult",
    "RecordRouting",
    "RecordScans",
    "RejectFulfillmentOrder",
    "ReleaseBackorder",
    "ReleaseHold",
    "RescheduleBackorder",
    "ResolveAttention",
    "RetryPaymentOperation",
    "SettleStock",
    "ShipFulfillmentOrder",
    "ShortPickFulfillmentOrder",
    "TakeBackFulfillmentOrder",
    "TenderGiven",
]
