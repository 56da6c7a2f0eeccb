"""The order: a fold of its facts."""

from oms.domain.order.folding import apply, fold
from oms.domain.order.model import (
    FINAL,
    Fact,
    Hold,
    Order,
    OrderStatus,
    RoutingPlan,
    cause_of,
)
from oms.domain.order.stock import moves_at_once, planned_change, stock_change

__all__ = [
    "FINAL",
    "Fact",
    "Hold",
    "Order",
    "OrderStatus",
    "RoutingPlan",
    "apply",
    "cause_of",
    "fold",
    "moves_at_once",
    "planned_change",
    "stock_change",
]
