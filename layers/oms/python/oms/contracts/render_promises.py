"""The promise of an order as clients see it."""

from __future__ import annotations

from oms.contracts.api.views import BasisView, PromiseStandingView
from oms.domain.network.lanes import Basis
from oms.domain.order import Order

TABLES, MEASURED = "tables", "measured"


def basis_view(basis: Basis) -> BasisView:
    measured = basis.parcels > 0
    return BasisView(
        MEASURED if measured else TABLES,
        basis.carrier,
        basis.method,
        basis.zone,
        basis.version,
        basis.days,
        "" if basis.cut_off is None else _clock(basis.cut_off),
        basis.confidence if measured else None,
        basis.parcels if measured else None,
        basis.on_time if measured else None,
    )


def standing_view(order: Order) -> PromiseStandingView | None:
    promise = order.promise
    if promise is None:
        return None
    bases = {x.fulfillment_order_id: x.basis for x in order.fulfillment_orders}
    made_of = ((each, bases.get(each)) for each in promise.made_of)
    return PromiseStandingView(
        deliver_by=promise.deliver_by,
        made_at=promise.made_at,
        ours=promise.ours,
        days_apart=promise.days_apart,
        ship_by=promise.ship_by,
        rule_set=promise.rule_set,
        rule_set_version=promise.rule_set_version,
        made_of={each: basis_view(basis) for each, basis in made_of if basis},
        revised=promise.revised,
        told_at=promise.told_at,
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
