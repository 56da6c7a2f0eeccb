"""What can be asked of an order. Imperative; each is answered by events or by a refusal."""

from oms.domain.commands.editing import (
    ApplyEdit,
    CompleteEdit,
    DeclineEdit,
)
from oms.domain.commands.following import FollowChannel
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
    EndHolds,
    PlaceHold,
    RaiseAttention,
    RecordVerdict,
    ReleaseHold,
    ResolveAttention,
)
from oms.domain.commands.orders import (
    CancelOrder,
    PlaceOrder,
    TenderGiven,
)
from oms.domain.commands.payments import (
    ExpireAuthorization,
    RecordDispute,
    RecordPaymentResult,
    RenewAuthorization,
    RetryPaymentOperation,
)
from oms.domain.commands.promises import (
    RevisePromise,
    UpgradeFulfillmentOrder,
)
from oms.domain.commands.refunds import (
    GrantRefund,
    ReceiveExchange,
)
from oms.domain.commands.returns import (
    ApproveReturn,
    CancelReturn,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    ReceiveReturn,
    RecordReturnLabel,
    RecordReturnScans,
    RequestReturn,
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
    | RenewAuthorization
    | ExpireAuthorization
    | RecordDispute
    | PlanRouting
    | AbandonRouting
    | RecordRouting
    | DeferRouting
    | Backorder
    | RescheduleBackorder
    | ReleaseBackorder
    | EndHolds
    | PlaceHold
    | ReleaseHold
    | RaiseAttention
    | RecordVerdict
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
    | ApplyEdit
    | CompleteEdit
    | DeclineEdit
    | FollowChannel
    | SettleStock
    | GrantRefund
    | ReceiveExchange
    | RequestReturn
    | ApproveReturn
    | DeclineReturn
    | CancelReturn
    | ExpireReturn
    | ReceiveReturn
    | InspectReturn
    | RecordReturnLabel
    | RecordReturnScans
    | UpgradeFulfillmentOrder
    | RevisePromise
)

__all__ = [
    "AbandonRouting",
    "AcceptFulfillmentOrder",
    "ApplyEdit",
    "ApproveReturn",
    "Backorder",
    "CancelOrder",
    "CancelPickup",
    "CancelReturn",
    "CollectFulfillmentOrder",
    "Command",
    "CompleteEdit",
    "DeclineEdit",
    "DeclineReturn",
    "DeferRouting",
    "DeliverFulfillmentOrder",
    "EndHolds",
    "ExpireAuthorization",
    "ExpireReturn",
    "FollowChannel",
    "GrantRefund",
    "InspectReturn",
    "PackFulfillmentOrder",
    "PickFulfillmentOrder",
    "PlaceHold",
    "PlaceOrder",
    "PlanRouting",
    "RaiseAttention",
    "ReadyFulfillmentOrder",
    "ReceiveExchange",
    "ReceiveReturn",
    "RecordDispute",
    "RecordPaymentResult",
    "RecordReturnLabel",
    "RecordReturnScans",
    "RecordRouting",
    "RecordScans",
    "RecordVerdict",
    "RejectFulfillmentOrder",
    "ReleaseBackorder",
    "ReleaseHold",
    "RenewAuthorization",
    "RequestReturn",
    "RescheduleBackorder",
    "ResolveAttention",
    "RetryPaymentOperation",
    "RevisePromise",
    "SettleStock",
    "ShipFulfillmentOrder",
    "ShortPickFulfillmentOrder",
    "TakeBackFulfillmentOrder",
    "TenderGiven",
    "UpgradeFulfillmentOrder",
]
