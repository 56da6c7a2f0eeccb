"""Cards by Stripe: PaymentIntents that are confirmed at once and captured as goods leave.

One authorization is captured once; Stripe then releases the rest of it. So a later capture charges
the same card again, without its buyer (`off_session`), up to what was authorized: that money was
not reserved in between, and the bank may refuse it. To be able to, each authorization has a Stripe
customer of its own, who is nobody: no personal data is sent, only ids of ours in the metadata.

A storefront that has created and confirmed an intent itself gives its id (`pi_…`) for a token:
amount, currency and manner are compared, and it is marked as this order's, once for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from oms.adapters.payments import stripe_webhooks
from oms.adapters.payments.base import DisputeNotice, Ignored, Notice, Result
from oms.adapters.payments.stripe_amounts import from_stripe, to_stripe
from oms.adapters.payments.stripe_client import asked, connected, found
from oms.adapters.payments.stripe_intents import (
    REFUND_OVER,
    WHOLE,
    authorization,
    capture,
    charged_again,
    of_customer,
    retrieved,
    said_by,
)
from oms.domain.payment import OperationKind, OperationStatus

INTENT = "pi_"
CARD: dict[str, Any] = {"payment_method_types": ["card"], "confirm": True, **WHOLE}
NOTHING_RESERVED = frozenset({"canceled", "succeeded"})


class Stripe:
    code = "stripe"
    prepaid = False

    def __init__(self, connect: Callable[[], Any] = connected) -> None:
        self._connect = connect

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        client, marks = self._connect(), {"order_id": order_id, "operation": key}
        if token.startswith(INTENT):
            return asked(lambda: _taken_over(client, token, amount, currency, marks))
        return asked(lambda: _authorized(client, amount, currency, token, marks))

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        client, marks = self._connect(), {"order_id": order_id, "operation": key, "of": reference}

        def renewed() -> Result:
            old = retrieved(client, reference)
            manner = {"capture_method": "manual"}
            return authorization(_again(client, old, amount, currency, marks, key, **manner))

        return asked(renewed)

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        client = self._connect()
        return asked(lambda: _captured(client, key, amount, currency, reference))

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        client = self._connect()
        return asked(lambda: _voided(client, key, to_stripe(amount, currency), reference))

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        client = self._connect()
        return asked(lambda: _refunded(client, key, to_stripe(amount, currency), reference))

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        client = self._connect()
        if kind is OperationKind.AUTHORIZE:
            return found(lambda: _authorization_of(client, key, token, reference))
        return found(lambda: _ENDS[kind](client, key, reference))

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """`secret`: one, or several between spaces while they are changed."""
        return stripe_webhooks.verified(headers.get("stripe-signature", ""), body, secret, now)

    def read(self, body: bytes) -> Notice | DisputeNotice | Ignored:
        """Events come late and out of order: what counts is the payment as it is now."""
        return stripe_webhooks.read(body, self._connect)


def _authorized(
    client: Any, amount: int, currency: str, token: str, marks: dict[str, str]
) -> Result:
    key = marks["operation"]
    asked_for = {
        "amount": to_stripe(amount, currency),
        "currency": currency.lower(),
        "customer": _customer(client, key),
        "payment_method": token,
        "capture_method": "manual",
        "setup_future_usage": "off_session",
        "metadata": marks,
        **CARD,
    }
    return authorization(client.v1.payment_intents.create(asked_for, _once(key)))


def _customer(client: Any, key: str) -> str:
    """Whom the card is kept with; the same key, the same one, for a day at least."""
    made = client.v1.customers.create({"metadata": {"operation": key}}, _once(f"{key}-customer"))
    return str(made.id)


def _taken_over(
    client: Any, token: str, amount: int, currency: str, marks: dict[str, str]
) -> Result:
    """Two orders that give the same intent ask under the same key: Stripe refuses the second."""
    import stripe

    intent = retrieved(client, token)
    wrong = _unlike(intent, to_stripe(amount, currency), currency, marks["order_id"])
    if wrong:
        return Result(OperationStatus.FAILED, reason=wrong)
    owned = said_by(intent, "order_id")
    key = marks["operation"] if owned else token
    try:
        mine = client.v1.payment_intents.update(
            token, {"metadata": marks, **WHOLE}, _once(f"{key}-taken")
        )
    except stripe.IdempotencyError:
        return Result(OperationStatus.FAILED, reason="the intent is another order's")
    return authorization(mine)


def _unlike(intent: Any, amount: int, currency: str, order_id: str) -> str:
    if intent.amount != amount or intent.currency != currency.lower():
        return "the intent is of another amount"
    if intent.capture_method != "manual":
        return "the intent is not captured manually"
    owner = said_by(intent, "order_id")
    return "the intent is another order's" if owner not in ("", order_id) else ""


def _again(
    client: Any,
    old: Any,
    amount: int,
    currency: str,
    marks: dict[str, str],
    key: str,
    **manner: str,
) -> Any:
    """The card of this intent once more, without its buyer."""
    return client.v1.payment_intents.create(
        {
            "amount": to_stripe(amount, currency),
            "currency": currency.lower(),
            "customer": old.customer,
            "payment_method": old.payment_method,
            "off_session": True,
            "metadata": marks,
            **manner,
            **CARD,
        },
        _once(key),
    )


def _captured(client: Any, key: str, amount: int, currency: str, reference: str) -> Result:
    known = _capture_of(client, key, reference)
    if known is not None:
        return known
    intent = retrieved(client, reference)
    if intent.status == "succeeded":
        return _charged_once_more(client, key, amount, currency, intent)
    part = {"amount_to_capture": to_stripe(amount, currency), "metadata": {"capture": key}}
    done = client.v1.payment_intents.capture(reference, {**part, **WHOLE}, _once(key))
    return capture(done)


def _charged_once_more(client: Any, key: str, amount: int, currency: str, first: Any) -> Result:
    taken = sum(each.amount_received for each in (first, *charged_again(client, first)))
    if taken + to_stripe(amount, currency) > first.amount:
        return Result(OperationStatus.FAILED, reason="more than was authorized")
    marks = {"order_id": said_by(first, "order_id"), "capture": key, "of": first.id}
    return capture(_again(client, first, amount, currency, marks, f"{key}-again"))


def _voided(client: Any, key: str, amount: int, reference: str) -> Result:
    """A part cannot be released before another is captured, which releases it: until then it is
    remembered, and the last part takes the whole back."""
    done = Result(OperationStatus.SUCCEEDED, reference)
    intent = retrieved(client, reference)
    if _is_released(intent, key):
        return done
    released = amount + int(said_by(intent, "released") or 0)
    if intent.status == "requires_capture" and released < intent.amount:
        marks = {"void": key, "released": str(released)}
        client.v1.payment_intents.update(reference, {"metadata": marks}, _once(key))
    else:
        client.v1.payment_intents.cancel(reference, {}, _once(key))
    return done


def _is_released(intent: Any, key: str) -> bool:
    return intent.status in NOTHING_RESERVED or said_by(intent, "void") == key


def _refunded(client: Any, key: str, amount: int, reference: str) -> Result:
    """From one charge if it can be, else from several; what was refunded under this key stays."""
    charges = _charges(client, reference)
    done = list(_refunds(client, charges, key))
    missing = amount - sum(each.amount for each in done)
    for charge, share in _shares(client, charges, missing):
        try:
            done.append(_refund(client, charge, share, key, amount))
        except _refusals():
            if not done:
                raise
            break  # what was refunded by then is told as the amount
    if not done:
        return Result(OperationStatus.FAILED, reason="more than was captured")
    return _refund_result(done)


def _refund(client: Any, charge: Any, share: int, key: str, total: int) -> Any:
    order_id = said_by(charge, "order_id")
    marks = {"order_id": order_id, "operation": key, "total": str(total)}
    asked_for = {"payment_intent": charge.id, "amount": share, "metadata": marks}
    return client.v1.refunds.create(asked_for, _once(f"{key}-{charge.id}"))


def _refusals() -> tuple[type[Exception], ...]:
    import stripe

    return (stripe.InvalidRequestError, stripe.CardError)


def _charges(client: Any, reference: str) -> list[Any]:
    first = retrieved(client, reference)
    return [each for each in (first, *charged_again(client, first)) if each.status == "succeeded"]


def _refunds(client: Any, charges: Iterable[Any], key: str = "") -> Iterator[Any]:
    """Ours, or those of one operation."""
    for charge in charges:
        said = {"payment_intent": charge.id, "limit": 100}
        for refund in client.v1.refunds.list(said).auto_paging_iter():
            operation = said_by(refund, "operation")
            if operation and key in ("", operation):
                yield refund


def _shares(client: Any, charges: list[Any], amount: int) -> list[tuple[Any, int]]:
    """The first charge that has enough, else what each has; nothing where all have too little."""
    rooms = [(charge, charge.amount_received - _given_back(client, charge)) for charge in charges]
    whole = [(charge, amount) for charge, room in rooms if room >= amount > 0]
    if whole:
        return whole[:1]
    if sum(room for _, room in rooms) < amount:
        return []
    shares = []
    for charge, room in rooms:
        shares.append((charge, min(room, amount)))
        amount -= shares[-1][1]
    return [(charge, share) for charge, share in shares if share > 0]


def _given_back(client: Any, charge: Any) -> int:
    kept = OperationStatus.FAILED
    return sum(r.amount for r in _refunds(client, [charge]) if REFUND_OVER.get(r.status) != kept)


def _refund_result(refunds: list[Any]) -> Result:
    """Of all refunds of one operation."""
    reference = refunds[0].id
    ends = [REFUND_OVER.get(each.status, OperationStatus.PENDING) for each in refunds]
    if OperationStatus.PENDING in ends:
        return Result(OperationStatus.PENDING, reference)
    if OperationStatus.SUCCEEDED not in ends:
        reason = getattr(refunds[0], "failure_reason", None) or "refused"
        return Result(OperationStatus.FAILED, reference, str(reason))
    done = OperationStatus.SUCCEEDED
    moved = sum(each.amount for each, end in zip(refunds, ends, strict=True) if end is done)
    return Result(done, reference, amount=from_stripe(moved, refunds[0].currency))


def _authorization_of(client: Any, key: str, token: str, reference: str) -> Result | None:
    for intent in _candidates(client, key, token, reference):
        if said_by(intent, "operation") == key:
            return authorization(intent)
    return None


def _candidates(client: Any, key: str, token: str, reference: str) -> Iterator[Any]:
    """The lists of a customer are up to date. The index that is searched may lag by minutes, so it
    is for operations that are so old that their customer is no longer found by their key."""
    if token.startswith(INTENT):
        yield retrieved(client, token)
    elif reference:
        known = retrieved(client, reference)
        yield from (known, *of_customer(client, known.customer))
    else:
        yield from of_customer(client, _customer(client, key))
    query = {"query": f"metadata['operation']:'{key}'", "expand": ["data.latest_charge"]}
    yield from client.v1.payment_intents.search(query).auto_paging_iter()


def _capture_of(client: Any, key: str, reference: str) -> Result | None:
    first = retrieved(client, reference)
    if said_by(first, "capture") == key:
        return capture(first)
    if first.status != "succeeded":
        return None
    again = (each for each in charged_again(client, first) if said_by(each, "capture") == key)
    return next((capture(each) for each in again), None)


def _void_of(client: Any, key: str, reference: str) -> Result | None:
    released = _is_released(retrieved(client, reference), key)
    return Result(OperationStatus.SUCCEEDED, reference) if released else None


def _refund_of(client: Any, key: str, reference: str) -> Result | None:
    """None also where a part is missing: asked again, it goes on."""
    done = list(_refunds(client, _charges(client, reference), key))
    if not done or sum(each.amount for each in done) < int(said_by(done[0], "total") or 0):
        return None
    return _refund_result(done)


_ENDS: dict[OperationKind, Callable[[Any, str, str], Result | None]] = {
    OperationKind.CAPTURE: _capture_of,
    OperationKind.VOID: _void_of,
    OperationKind.REFUND: _refund_of,
}


def _once(key: str) -> dict[str, str]:
    return {"idempotency_key": key}
