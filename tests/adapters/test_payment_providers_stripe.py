"""What Stripe does besides, against localstripe, or written answers where localstripe has none."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.payments import stripe_client
from oms.adapters.payments.base import (
    AmbiguousOutcome,
    DisputeNotice,
    Ignored,
    MalformedNotice,
    Notice,
    Result,
)
from oms.adapters.payments.stripe import Stripe
from oms.adapters.payments.stripe_amounts import NotPayable, from_stripe, to_stripe
from oms.adapters.payments.stripe_client import NotConnected, client
from oms.domain.currencies import EXPONENTS
from oms.domain.payment import DisputeStatus, OperationKind, OperationStatus
from tests.payment_stands import KEY_OF_STRIPE, stripe_address
from tests.stripe_wire import CUSTOMER, Answer, Wire, error, intent, listed, refund

__all__ = ["stripe_address"]
AUTHORIZE, CAPTURE, VOID, REFUND = OperationKind
DONE, FAILED, PENDING = OperationStatus.SUCCEEDED, OperationStatus.FAILED, OperationStatus.PENDING
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECURE_CARD = {"number": "4000002500003155", "exp_month": 12, "exp_year": 2040, "cvc": "123"}


def key() -> str:
    return f"k{uuid4().hex}"


class Shop:
    """A provider at localstripe, and what a storefront does there beside it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = client(KEY_OF_STRIPE, address)
        self.provider = Stripe(lambda: self.client)

    def intent(self, amount: int = 5000, currency: str = "usd", **more: Any) -> str:
        customer = self.client.v1.customers.create({}).id
        said = {"amount": amount, "currency": currency, "customer": customer}
        card = {"payment_method": "pm_card_visa", "confirm": True}
        manner = {"capture_method": "manual", **more}
        return str(self.client.v1.payment_intents.create({**said, **card, **manner}).id)

    def secure_card(self) -> str:
        return str(self.client.v1.payment_methods.create({"type": "card", "card": SECURE_CARD}).id)

    def buyer_answers(self, reference: str, success: bool) -> None:
        """As the page of the bank does."""
        secret = self.client.v1.payment_intents.retrieve(reference).client_secret
        form = {"client_secret": secret, "success": str(success).lower(), "key": "pk_test_x"}
        address = f"{self.address}/v1/payment_intents/{reference}/_authenticate"
        data = urllib.parse.urlencode(form).encode()
        urllib.request.urlopen(address, data, timeout=10).close()

    def marks(self, reference: str) -> dict[str, str]:
        return dict(self.client.v1.payment_intents.retrieve(reference).metadata.to_dict())

    def told(self, kind: str, reference: str) -> Any:
        thing = {"object": "payment_intent", "id": reference}
        return self.provider.read(json.dumps({"type": kind, "data": {"object": thing}}).encode())


@pytest.fixture
def shop(stripe_address: str) -> Shop:
    return Shop(stripe_address)


def test_nothing_of_a_person_is_sent_only_ids_of_ours(shop: Shop) -> None:
    asked = key()
    reference = shop.provider.authorize(asked, 5000, "USD", "pm_card_visa", "ord_1").reference

    assert shop.marks(reference) == {"order_id": "ord_1", "operation": asked}


def test_a_buyer_who_must_act_is_waited_for(shop: Shop) -> None:
    asked, token = key(), shop.secure_card()
    pending = shop.provider.authorize(asked, 5000, "USD", token, "ord_1")
    assert pending.status is PENDING
    assert isinstance(shop.told("payment_intent.payment_failed", pending.reference), Ignored)

    shop.buyer_answers(pending.reference, success=True)

    held = shop.provider.look_up(asked, AUTHORIZE, token)
    assert held is not None
    assert (held.status, held.reference) == (DONE, pending.reference)
    told = shop.told("payment_intent.amount_capturable_updated", pending.reference)
    assert told == Notice("ord_1", asked, held)


def test_a_buyer_who_refuses_is_a_definite_no(shop: Shop) -> None:
    asked, token = key(), shop.secure_card()
    pending = shop.provider.authorize(asked, 5000, "USD", token, "ord_1")

    shop.buyer_answers(pending.reference, success=False)

    refused = shop.provider.look_up(asked, AUTHORIZE, token)
    assert refused == Result(FAILED, reason="payment_intent_authentication_failure")
    told = shop.told("payment_intent.payment_failed", pending.reference)
    assert told == Notice("ord_1", asked, refused)


def test_what_a_buyer_has_not_answered_can_be_withdrawn(shop: Shop) -> None:
    pending = shop.provider.authorize(key(), 5000, "USD", shop.secure_card(), "ord_1")

    assert shop.provider.void(key(), 5000, "USD", pending.reference).status is DONE
    told = shop.told("payment_intent.canceled", pending.reference)
    assert isinstance(told, Notice)
    assert told.result.status is FAILED


def test_an_intent_of_the_storefront_is_taken_over_once_and_captured(shop: Shop) -> None:
    token, asked = shop.intent(), key()

    taken = shop.provider.authorize(asked, 5000, "USD", token, "ord_1")

    assert (taken.status, taken.reference) == (DONE, token)
    assert shop.marks(token) == {"order_id": "ord_1", "operation": asked}
    assert shop.provider.authorize(asked, 5000, "USD", token, "ord_1") == taken
    assert shop.provider.look_up(asked, AUTHORIZE, token) == taken
    assert shop.provider.capture(key(), 5000, "USD", token).status is DONE


def test_an_intent_pays_for_one_order_only(shop: Shop) -> None:
    token = shop.intent()
    shop.provider.authorize(key(), 5000, "USD", token, "ord_1")

    other = shop.provider.authorize(key(), 5000, "USD", token, "ord_2")

    assert other == Result(FAILED, reason="the intent is another order's")
    assert shop.marks(token)["order_id"] == "ord_1"


def test_of_two_orders_that_take_an_intent_at_the_same_moment_one_has_it(shop: Shop) -> None:
    """The second has read it before the first wrote."""
    token = shop.intent()
    unmarked = shop.client.v1.payment_intents.retrieve(token, {"expand": ["latest_charge"]})
    first = shop.provider.authorize(key(), 5000, "USD", token, "ord_1")

    class Late:
        def __getattr__(self, name: str) -> Any:
            return getattr(shop.client.v1.payment_intents, name)

        def retrieve(self, *asked: Any) -> Any:
            return unmarked

    class Connection:
        class v1:  # noqa: N801
            payment_intents = Late()

    second = Stripe(Connection).authorize(key(), 5000, "USD", token, "ord_2")

    assert (first.status, second.status) == (DONE, FAILED)
    assert shop.marks(token)["order_id"] == "ord_1"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"amount": 4999}, "the intent is of another amount"),
        ({"currency": "eur"}, "the intent is of another amount"),
        ({"capture_method": "automatic"}, "the intent is not captured manually"),
        ({"metadata": {"order_id": "ord_2"}}, "the intent is another order's"),
    ],
)
def test_the_client_is_not_believed_about_its_intent(
    shop: Shop, made: dict[str, Any], reason: str
) -> None:
    token = shop.intent(**made)

    assert shop.provider.authorize(key(), 5000, "USD", token, "ord_1").reason == reason
    assert "operation" not in shop.marks(token)


def test_a_later_capture_charges_the_card_again_and_never_too_much(shop: Shop) -> None:
    reference = shop.provider.authorize(key(), 5000, "USD", "pm_card_visa", "ord_1").reference
    keys = [key() for _ in range(3)]

    taken = [
        shop.provider.capture(asked, amount, "USD", reference)
        for asked, amount in zip(keys, (2000, 2500, 501), strict=True)
    ]

    assert [it.status for it in taken] == [DONE, DONE, FAILED]
    assert taken[2].reason == "more than was authorized"
    assert len({it.reference for it in taken[:2]}) == 2
    assert shop.provider.capture(keys[0], 2000, "USD", reference) == taken[0]
    assert shop.provider.capture(keys[1], 2500, "USD", reference) == taken[1]


def test_a_capture_is_told_by_its_own_key(shop: Shop) -> None:
    first, again = key(), key()
    reference = shop.provider.authorize(key(), 5000, "USD", "pm_card_visa", "ord_1").reference
    one = shop.provider.capture(first, 2000, "USD", reference)
    two = shop.provider.capture(again, 500, "USD", reference)

    kept = list(shop.client.v1.payment_intents.search({"query": f"metadata['capture']:'{again}'"}))
    assert shop.told("payment_intent.succeeded", reference) == Notice("ord_1", first, one)
    assert shop.told("payment_intent.succeeded", kept[0].id) == Notice("ord_1", again, two)


def test_no_more_is_refunded_than_was_taken(shop: Shop) -> None:
    reference = shop.provider.authorize(key(), 5000, "USD", "pm_card_visa", "ord_1").reference
    shop.provider.capture(key(), 2000, "USD", reference)

    assert shop.provider.refund(key(), 2001, "USD", reference).status is FAILED
    assert shop.provider.refund(key(), 1500, "USD", reference).status is DONE
    assert shop.provider.refund(key(), 501, "USD", reference).status is FAILED


def test_an_old_operation_is_found_though_its_customer_is_not(shop: Shop) -> None:
    """Stripe forgets idempotency keys after a day: the index of the metadata stays."""
    asked = key()
    reference = shop.intent(metadata={"order_id": "ord_1", "operation": asked})

    found = shop.provider.look_up(asked, AUTHORIZE, "pm_card_visa")

    assert found is not None
    assert (found.status, found.reference) == (DONE, reference)


# Errors, which localstripe has no reason for.


def asking(*answers: Answer | Exception) -> Wire:
    return Wire({"POST /customers": [CUSTOMER], "POST /payment_intents": list(answers)})


def authorize(wire: Wire) -> Result:
    return wire.provider.authorize("k1", 5000, "USD", "pm_1", "ord_1")


def test_a_declined_card_is_told_by_codes_and_no_text_of_stripes() -> None:
    declined = error(402, "card_error", "card_declined", decline_code="insufficient_funds")

    assert authorize(asking(declined)) == Result(FAILED, reason="card_declined: insufficient_funds")


def test_a_request_that_stripe_refuses_is_a_definite_no() -> None:
    refused = error(400, "invalid_request_error", "resource_missing", param="payment_method")

    assert authorize(asking(refused)) == Result(FAILED, reason="resource_missing: payment_method")


@pytest.mark.parametrize(
    "answer",
    [
        error(429, "invalid_request_error", "rate_limit"),
        error(400, "idempotency_error"),
        error(409, "invalid_request_error", "idempotency_key_in_use"),
        error(500, "api_error"),
        error(400, "invalid_request_error", "payment_intent_unexpected_state"),
        stripe.APIConnectionError("the connection broke"),
    ],
)
def test_what_says_nothing_of_the_money_is_ambiguous(answer: Answer | Exception) -> None:
    with pytest.raises(AmbiguousOutcome):
        authorize(asking(answer))


@pytest.mark.parametrize("answer", [error(500, "api_error"), stripe.APIConnectionError("…")])
def test_a_look_up_that_is_not_answered_is_ambiguous_too(answer: Answer | Exception) -> None:
    wire = Wire({"GET /payment_intents/pi_1": [answer]})

    with pytest.raises(AmbiguousOutcome):
        wire.provider.look_up("k1", CAPTURE, "", "pi_1")


def test_a_lost_answer_is_asked_for_again_under_the_same_keys() -> None:
    wire = asking(stripe.APIConnectionError("lost"), (200, intent()))
    with pytest.raises(AmbiguousOutcome):
        authorize(wire)

    assert authorize(wire).status is DONE
    asked = [(path, used) for path, _, used in wire.asked]
    assert asked == [("POST /customers", "k1-customer"), ("POST /payment_intents", "k1")] * 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_do_it_is_nobodys_decline(status: int) -> None:
    with pytest.raises(NotConnected):
        authorize(asking(error(status, "invalid_request_error")))


def test_without_a_key_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def of(self, sender: str) -> None:
            return None

    monkeypatch.setattr(stripe_client, "secrets", Nothing)
    with pytest.raises(NotConnected):
        Stripe().authorize("k1", 5000, "USD", "pm_1", "ord_1")


def test_money_is_held_as_long_as_the_charge_says_else_seven_days() -> None:
    details = {"card": {"capture_before": 1772798400}}
    charge = {"object": "charge", "id": "ch_1", "payment_method_details": details}

    said = authorize(asking((200, intent(latest_charge=charge))))
    silent = authorize(asking((200, intent())))

    assert said.valid_until == datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert silent.valid_until == NOW + timedelta(days=7)


def test_a_card_that_wants_its_buyer_back_is_not_renewed() -> None:
    wanted = error(402, "card_error", "authentication_required")
    wire = Wire({"GET /payment_intents/pi_1": [(200, intent())], "POST /payment_intents": [wanted]})

    result = wire.provider.renew("k2", 5000, "USD", "pi_1", "ord_1")

    assert result == Result(FAILED, reason="authentication_required")
    sent = wire.asked[-1][1]
    assert (sent["off_session"], sent["customer"], sent["capture_method"]) == (
        "true",
        "cus_1",
        "manual",
    )


@pytest.mark.parametrize(
    ("status", "end"),
    [("pending", PENDING), ("requires_action", PENDING), ("failed", FAILED), ("canceled", FAILED)],
)
def test_a_refund_may_take_its_time_or_fail(status: str, end: OperationStatus) -> None:
    made = refund(status, failure_reason="lost_or_stolen_card" if end is FAILED else None)
    wire = Wire(
        {
            "GET /payment_intents/pi_1": [(200, intent("succeeded"))],
            "GET /payment_intents": [(200, listed())],
            "GET /refunds": [(200, listed())],
            "POST /refunds": [(200, made)],
        }
    )

    result = wire.provider.refund("k9", 5000, "USD", "pi_1")

    assert result.status is end
    assert result.reason == ("lost_or_stolen_card" if end is FAILED else "")


def test_of_a_refund_in_parts_that_stops_half_way_the_part_is_told() -> None:
    first = intent("succeeded", amount=5000, amount_received=2000)
    marks = {"order_id": "ord_1", "capture": "k3", "of": "pi_1"}
    again = intent("succeeded", id="pi_2", amount=3000, amount_received=3000, metadata=marks)
    wire = Wire(
        {
            "GET /payment_intents/pi_1": [(200, first)],
            "GET /payment_intents": [(200, listed(first, again))],
            "GET /refunds": [(200, listed())],
            "POST /refunds": [
                (200, refund(amount=2000)),
                error(400, "invalid_request_error", "charge_disputed"),
            ],
        }
    )

    assert wire.provider.refund("k9", 5000, "USD", "pi_1") == Result(DONE, "re_1", amount=2000)
    used = [(sent["amount"], name) for path, sent, name in wire.asked if path == "POST /refunds"]
    assert used == [("2000", "k9-pi_1"), ("3000", "k9-pi_2")]


# Webhooks


def signed(body: bytes, secret: str = "whsec_1", at: datetime = NOW) -> dict[str, str]:
    header = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, int(at.timestamp())
    )
    return {"stripe-signature": header}


BODY = b'{"type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}'
OFFLINE = Wire({}).provider


def test_a_webhook_is_believed_for_five_minutes_by_any_of_the_secrets() -> None:
    later = NOW + timedelta(seconds=300)

    assert OFFLINE.verify(signed(BODY), BODY, "whsec_1", later)
    assert OFFLINE.verify(signed(BODY), BODY, "whsec_0 whsec_1", NOW)
    assert not OFFLINE.verify(signed(BODY), BODY, "whsec_0", NOW)
    for late in (later + timedelta(seconds=1), NOW - timedelta(seconds=301)):
        assert not OFFLINE.verify(signed(BODY), BODY, "whsec_1", late)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_body_with_one_other_byte_is_refused(place: int, flip: int) -> None:
    changed = bytes(b ^ flip if i == place else b for i, b in enumerate(BODY))

    assert not OFFLINE.verify(signed(BODY), changed, "whsec_1", NOW)


@given(st.text(max_size=60) | st.from_regex(r"t=\d*,v[01]=[0-9a-f]*", fullmatch=True))
def test_no_header_is_a_surprise(header: str) -> None:
    assert not OFFLINE.verify({"stripe-signature": header}, BODY, "whsec_1", NOW)


def event(kind: str, thing: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "data": {"object": thing}}).encode()


def reading(*answers: Answer | Exception) -> Stripe:
    return Wire({"GET /payment_intents/pi_1": list(answers)}).provider


def test_what_counts_is_the_payment_as_it_is_now() -> None:
    """The event is late: the intent was captured since."""
    marks = {"order_id": "ord_1", "operation": "k1", "capture": "k3"}
    provider = reading((200, intent("succeeded", metadata=marks)))

    told = provider.read(event("payment_intent.amount_capturable_updated", {"id": "pi_1"}))

    assert told == Notice("ord_1", "k3", Result(DONE, "pi_1", amount=5000))


@pytest.mark.parametrize(
    "answer", [error(404, "invalid_request_error"), (200, intent(metadata={}))]
)
def test_a_payment_of_somebody_else_is_ignored(answer: Answer) -> None:
    assert isinstance(reading(answer).read(BODY), Ignored)


def test_a_webhook_that_cannot_be_read_now_is_to_be_sent_again() -> None:
    with pytest.raises(AmbiguousOutcome):
        reading(error(500, "api_error")).read(BODY)


@pytest.mark.parametrize("kind", ["refund.updated", "refund.failed", "charge.refund.updated"])
def test_a_webhook_tells_how_a_refund_ended(kind: str) -> None:
    done = OFFLINE.read(event(kind, refund()))
    failed = OFFLINE.read(event(kind, refund("failed", failure_reason="expired_card")))

    assert done == Notice("ord_1", "k9", Result(DONE, "re_1", amount=5000))
    assert failed == Notice("ord_1", "k9", Result(FAILED, "re_1", "expired_card"))


@pytest.mark.parametrize(
    "thing", [refund("pending"), refund(metadata={}), refund(amount=2000), {"status": "succeeded"}]
)
def test_a_refund_in_parts_or_of_others_or_unfinished_is_ignored(thing: dict[str, Any]) -> None:
    assert isinstance(OFFLINE.read(event("refund.updated", thing)), Ignored)


def dispute(status: str) -> dict[str, Any]:
    money = {"amount": 500, "currency": "usd", "reason": "fraudulent"}
    return {"object": "dispute", "id": "du_1", "payment_intent": "pi_1", "status": status, **money}


@pytest.mark.parametrize(
    ("kind", "status", "end"),
    [
        ("created", "needs_response", DisputeStatus.OPEN),
        ("funds_withdrawn", "under_review", DisputeStatus.OPEN),
        ("closed", "won", DisputeStatus.WON),
        ("closed", "lost", DisputeStatus.LOST),
    ],
)
def test_a_dispute_names_the_authorization(kind: str, status: str, end: DisputeStatus) -> None:
    again = {"order_id": "ord_1", "capture": "k3", "of": "pi_0"}
    body = event(f"charge.dispute.{kind}", dispute(status))

    told = reading((200, intent("succeeded"))).read(body)
    of_second = reading((200, intent("succeeded", metadata=again))).read(body)

    assert told == DisputeNotice("ord_1", "pi_1", "du_1", 500, end, "fraudulent")
    assert isinstance(of_second, DisputeNotice)
    assert of_second.reference == "pi_0"


@pytest.mark.parametrize(
    ("kind", "status"), [("created", "warning_needs_response"), ("closed", "warning_closed")]
)
def test_an_inquiry_takes_no_money(kind: str, status: str) -> None:
    assert isinstance(OFFLINE.read(event(f"charge.dispute.{kind}", dispute(status))), Ignored)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"type":1,"data":{"object":{}}}',
        b'{"type":"payment_intent.succeeded","data":{"object":[]}}',
        b'{"type":"payment_intent.succeeded","data":{"object":{"id":7}}}',
        event("charge.dispute.created", {"status": "needs_response"}),
    ],
)
def test_a_malformed_webhook_is_a_typed_refusal(body: bytes) -> None:
    with pytest.raises(MalformedNotice):
        OFFLINE.read(body)


def test_events_that_move_nothing_are_ignored() -> None:
    for kind in ("charge.refunded", "charge.captured", "customer.created"):
        assert isinstance(OFFLINE.read(event(kind, {"id": "x"})), Ignored)


# Amounts


@given(st.integers(1, 10**9), st.sampled_from(sorted(EXPONENTS)))
def test_an_amount_comes_back_as_it_was_asked_or_is_refused(amount: int, currency: str) -> None:
    try:
        asked = to_stripe(amount, currency)
    except NotPayable:
        assert currency in {"BHD", "JOD", "KWD", "OMR", "TND", "MGA"}
    else:
        assert from_stripe(asked, currency.lower()) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "asked"),
    [
        (1999, "USD", 1999),
        (500, "JPY", 500),
        (500, "ISK", 50000),
        (500, "UGX", 50000),
        (500, "MGA", 5),
        (5120, "KWD", 5120),
    ],
)
def test_stripe_counts_a_few_currencies_in_its_own_way(
    amount: int, currency: str, asked: int
) -> None:
    assert to_stripe(amount, currency) == asked


def test_thousandths_that_are_not_whole_hundredths_are_refused_not_rounded() -> None:
    result = Wire({}).provider.authorize("k1", 5125, "KWD", "pm_1", "ord_1")

    assert (result.status, "5125" in result.reason) == (FAILED, True)


def test_stripes_library_is_read_when_it_is_first_asked() -> None:
    folder = Path(stripe_client.__file__).parent
    for module in folder.glob("*.py"):
        assert "\nimport stripe\n" not in module.read_text()
        assert "\nfrom stripe import" not in module.read_text()
