"""Edits as clients see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from oms.adapters.edits_table import Filed, ProposalState
from oms.contracts.api import edits as v
from oms.contracts.api.views import QuantityView
from oms.domain.edits import Changes, Figures, Preview
from oms.domain.lines import Line, Shipping
from oms.domain.order import Order


def edit_view(order: Order, filed: Filed, now: datetime) -> v.EditView:
    proposal, preview = filed.proposal, filed.proposal.preview
    taken_up = order.edit(proposal.edit_id)
    return v.EditView(
        edit_id=proposal.edit_id,
        order_id=order.order_id,
        status=status_of(order, filed, now),
        reason=proposal.reason,
        changes=_changes(proposal.changes),
        before=_figures(preview.before),
        after=_figures(preview.after),
        due=preview.due,
        repaid=[v.RepaidView(x.operation_id, x.provider, x.amount) for x in preview.repaid],
        released=preview.released,
        taken_back=list(preview.taken_back),
        stock=[v.NeededView(each.sku, each.wanted, each.available) for each in preview.stock],
        warnings=list(_warnings(order, preview)),
        based_on_version=proposal.based_on,
        proposed_at=proposal.proposed_at,
        proposed_by=proposal.proposed_by,
        expires_at=proposal.expires_at,
        declined=taken_up.declined if taken_up else "",
    )


def status_of(order: Order, filed: Filed, now: datetime) -> str:
    """What the order says of it; before that: proposed, discarded, expired."""
    if (taken_up := order.edit(filed.proposal.edit_id)) is not None:
        return taken_up.status.value
    if filed.state is ProposalState.PROPOSED and filed.proposal.expires_at <= now:
        return "expired"
    return filed.state.value


def _warnings(order: Order, preview: Preview) -> Iterator[str]:
    for each in preview.stock:
        if each.available < each.wanted:
            said = f"{each.wanted} of {each.sku} are wanted, {each.available} can be promised now"
            yield f"{said}: the rest waits for stock, or is cancelled, as its policy says"
    for identity in preview.taken_back:
        yield f"{identity} is taken back from its location and routed anew"
    if preview.released:
        yield f"{preview.released} stay authorized until the order ends, and are released then"
    if order.active_holds:
        yield "the order is on hold: nothing is shipped before the holds are released"


def _changes(changes: Changes) -> v.ChangesView:
    return v.ChangesView(
        add=[_added(line) for line in changes.added],
        remove=[QuantityView(each.line_id, each.quantity) for each in changes.removed],
        shipping=_shipping(changes.shipping) if changes.shipping else None,
        address=bool(changes.contact),
    )


def _added(line: Line) -> v.AddedView:
    off, tax = line.gross - line.discounted, sum(each.amount for each in line.taxes)
    return v.AddedView(line.sku, line.quantity, line.unit_price, off, tax)


def _shipping(shipping: Shipping) -> v.ShippingView:
    tax = sum(each.amount for each in shipping.taxes)
    return v.ShippingView(shipping.method, shipping.price, tax)


def _figures(of: Figures) -> v.FiguresView:
    return v.FiguresView(of.subtotal, of.discounts, of.shipping, of.taxes, of.total)
