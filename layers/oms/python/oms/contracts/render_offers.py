"""What can be promised, as clients see it."""

from __future__ import annotations

from collections.abc import Sequence

from oms.contracts.api.promises import LegView, PromiseView
from oms.contracts.render_promises import MEASURED, TABLES, basis_view
from oms.domain.network.promising import Leg, Promise


def promise_view(promise: Promise, skus: Sequence[str]) -> PromiseView:
    """`skus` in the order in which they were asked for."""
    sure = promise.confidence
    return PromiseView(
        promise.method,
        promise.ship_by,
        promise.deliver_by,
        promise.cost,
        list(promise.location_ids),
        MEASURED if sure else TABLES,
        sure or None,
        promise.parcels if sure else None,
        [_leg_view(each, skus) for each in promise.legs],
    )


def _leg_view(leg: Leg, skus: Sequence[str]) -> LegView:
    basis = basis_view(leg.basis) if leg.basis else None
    return LegView(
        leg.location_id, [skus[item] for item in leg.items], leg.ship_by, leg.deliver_by, basis
    )
