"""The order: a fold of its facts."""

from oms.domain.order import editing, paying, returning
from oms.domain.order.backorders import (
    MAX_QUEUES,
    awaited_items,
    backorder_deadline,
    day_begins,
    is_tried_again,
    next_release,
    overdue_backorders,
    preordered,
    preordered_items,
    still_expected,
)
from oms.domain.order.capacity import capacity_changes
from oms.domain.order.exclusions import excluded, waited_for
from oms.domain.order.folding import apply, fold
from oms.domain.order.model import (
    FINAL,
    Backordered,
    Fact,
    Hold,
    Order,
    OrderStatus,
    RoutingPlan,
    cause_of,
)
from oms.domain.order.stock import moves_at_once, needs_batches, planned_change, stock_change

# Each of these modules teaches `apply` the events of its capability.
CAPABILITIES = (paying, editing, returning)

__all__ = [
    "CAPABILITIES",
    "FINAL",
    "MAX_QUEUES",
    "Backordered",
    "Fact",
    "Hold",
    "Order",
    "OrderStatus",
    "RoutingPlan",
    "apply",
    "awaited_items",
    "backorder_deadline",
    "capacity_changes",
    "cause_of",
    "day_begins",
    "excluded",
    "fold",
    "is_tried_again",
    "moves_at_once",
    "needs_batches",
    "next_release",
    "overdue_backorders",
    "planned_change",
    "preordered",
    "preordered_items",
    "still_expected",
    "stock_change",
    "waited_for",
]
