"""Returns as clients see them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from oms.contracts.api import returns as v
from oms.contracts.api.views import QuantityView
from oms.contracts.render_credits import settlement_view
from oms.domain.order import Order
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.refunds import Credit
from oms.domain.returns import Acceptance, Resolution, Return, ReturnLine, Terms
from oms.domain.returns.eligibility import Asked, Offer, estimated_refund, offer, worth_of

Link = Callable[[str], str]  # to the file of this name


def no_link(name: str) -> str:  # noqa: ARG001
    return ""


def return_view(order: Order, found: Return, link: Link = no_link) -> v.ReturnView:
    return v.ReturnView(
        return_id=found.return_id,
        order_id=order.order_id,
        status=found.status,
        resolution=found.resolution,
        currency=order.currency,
        refund_amount=_granted(order, found),
        refunded=_refunded(order, found),
        estimated_refund=_estimated(order, found),
        lines=[_line_view(order, each) for each in found.lines],
        requested_at=found.requested_at,
        requested_by=found.requested_by,
        terms=_terms_view(found.terms),
        approved_at=found.approved_at,
        expires_at=found.expires_at,
        in_store=found.in_store,
        location_id=found.location_id,
        parcels=_parcels(found, link),
        exchange=[
            v.ExchangeLineView(x.line.sku, x.line.quantity, x.line.unit_price)
            for x in found.exchange
        ],
        linked_order=found.linked_order,
        reason=found.reason,
        override=found.override,
        attention=found.attention,
        unexpected=[QuantityView(each.line_id, each.quantity) for each in found.unexpected],
        explanation=explanation(order, found),
        settlement=settlement_view(order, found),
    )


def tracked_view(order: Order, found: Return, link: Link = no_link) -> v.TrackedReturnView:
    return v.TrackedReturnView(
        return_id=found.return_id,
        status=found.status,
        resolution=found.resolution,
        currency=order.currency,
        refund_amount=_granted(order, found),
        refunded=_refunded(order, found),
        estimated_refund=_estimated(order, found),
        lines=[_tracked_line(order, each) for each in found.lines],
        requested_at=found.requested_at,
        keep=found.terms.keep,
        expires_at=found.expires_at,
        parcels=_parcels(found, link),
    )


def options_view(
    asked: Asked, offered: Collection[Resolution] = tuple(Resolution)
) -> v.ReturnOptionsView:
    """`offered`: to whoever asks; the policy may offer less."""
    order, policy = asked.order, asked.policy
    return v.ReturnOptionsView(
        order_id=order.order_id,
        currency=order.currency,
        lines=[_option_view(order, offer(asked, line)) for line in order.lines],
        reasons=[
            v.ReturnReasonView(each.code, each.fault, each.needs_person, each.photo)
            for each in policy.reasons
        ],
        resolutions=[each.value for each in policy.resolutions if each in offered],
        policy_version=asked.version,
    )


def explanation(order: Order, found: Return) -> list[v.ExplainedView]:
    """Every cent of what was granted, credit by credit."""
    return [
        v.ExplainedView(
            part.kind, part.amount, part.line_id, part.first_unit, part.quantity, part.name
        )
        for credit in _credits(order, found)
        for part in credit.parts
    ]


def _credits(order: Order, found: Return) -> Iterator[Credit]:
    return (credit for credit in order.credits if credit.cause == found.return_id)


def _granted(order: Order, found: Return) -> int:
    return sum(credit.amount for credit in _credits(order, found))


def _refunded(order: Order, found: Return) -> int:
    granted = {credit.credit_id for credit in _credits(order, found)}
    return sum(
        operation.amount
        for operation in order.payment.operations
        if operation.kind is OperationKind.REFUND
        and operation.status is OperationStatus.SUCCEEDED
        and operation.cause in granted
    )


def _estimated(order: Order, found: Return) -> int:
    """Of what is granted already nothing has to be guessed."""
    if not found.is_open or found.settled:
        return _granted(order, found)
    return estimated_refund(worth_of(order, found.lines), found.terms)


def _line_view(order: Order, line: ReturnLine) -> v.ReturnLineView:
    return v.ReturnLineView(
        line_id=line.line_id,
        sku=order.line(line.line_id).sku,
        quantity=line.quantity,
        reason=line.reason,
        received=line.arrived,
        accepted=line.judged(Acceptance.ACCEPTED),
        rejected=line.judged(Acceptance.REJECTED),
        settled=line.settled,
        note=line.note,
        receptions=[v.ReceivedView(x.quantity, x.reception, x.damaged) for x in line.received],
        inspections=[
            v.InspectedView(x.quantity, x.acceptance, x.disposition, x.location_id, x.note)
            for x in line.inspected
        ],
    )


def _tracked_line(order: Order, line: ReturnLine) -> v.TrackedLineView:
    return v.TrackedLineView(
        line_id=line.line_id,
        sku=order.line(line.line_id).sku,
        quantity=line.quantity,
        reason=line.reason,
        received=line.arrived,
        accepted=line.judged(Acceptance.ACCEPTED),
        rejected=line.judged(Acceptance.REJECTED),
    )


def _terms_view(terms: Terms) -> v.TermsView:
    return v.TermsView(
        refund_when=terms.refund_when,
        restocking_fee_bp=terms.restocking_fee_bp,
        return_shipping=terms.return_shipping,
        refund_shipping=terms.refund_shipping,
        keep=terms.keep,
        exchange_at_once=terms.exchange_at_once,
        policy_version=terms.policy_version,
    )


def _parcels(found: Return, link: Link) -> list[v.ReturnParcelView]:
    return [
        v.ReturnParcelView(
            each.carrier,
            each.tracking_number,
            each.status,
            each.scanned_at,
            link(each.document) if each.document else "",
            each.qr,
        )
        for each in found.parcels
    ]


def _option_view(order: Order, found: Offer) -> v.ReturnOptionView:
    line = order.line(found.line_id)
    return v.ReturnOptionView(
        line_id=line.line_id,
        sku=line.sku,
        quantity=line.quantity,
        returnable=found.units,
        until=found.until,
        reasons=list(found.reasons),
        estimated_refund=found.estimated_refund,
        refusal=found.refusal,
    )
