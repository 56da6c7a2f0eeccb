"""What every payment provider must do; `tests/payment_stands.py` has each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from oms.adapters.payments import BY_HAND, PROVIDERS
from oms.adapters.payments.base import Ignored, MalformedNotice, Result
from oms.adapters.payments.stripe_amounts import from_stripe
from oms.domain.payment import OperationKind, OperationStatus
from tests.payment_stands import STANDS, Stand, stripe_address

__all__ = ["stripe_address"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUTHORIZE, CAPTURE, VOID, REFUND = OperationKind
DONE, FAILED = OperationStatus.SUCCEEDED, OperationStatus.FAILED
ORDER = "ord_conformance"
PLACED_WITH = {"exchange"}  # orders come with its money: it is asked for no authorization


@pytest.fixture(params=sorted(STANDS))
def stand(request: pytest.FixtureRequest) -> Stand:
    return STANDS[request.param](request)


def key(name: str = "k") -> str:
    """As ours are, and not asked for before."""
    return f"{name}{uuid4().hex}"


def authorized(stand: Stand, amount: int = 2836, currency: str = "USD") -> Result:
    token = stand.token(currency)
    return stand.provider.authorize(key(), amount, currency, token, ORDER)


def captured(stand: Stand, amount: int) -> str:
    """The reference of an authorization of which all was taken."""
    reference = authorized(stand, amount).reference
    assert stand.provider.capture(key(), amount, "USD", reference).status is end(stand, CAPTURE)
    return reference


def end(stand: Stand, kind: OperationKind) -> OperationStatus:
    return OperationStatus.PENDING if kind in stand.pending else DONE


def test_every_provider_that_we_know_is_in_this_suite_by_its_code() -> None:
    assert {code: each.code for code, each in PROVIDERS.items()} == {
        code: code for code in PROVIDERS
    }
    assert (PROVIDERS.keys() - PLACED_WITH) | {"fake"} == STANDS.keys()
    assert {"cash_on_delivery", "bank_transfer"} == BY_HAND


def test_an_authorization_reserves_money_under_a_reference(stand: Stand) -> None:
    result = authorized(stand)

    assert (result.status, bool(result.reference)) == (end(stand, AUTHORIZE), True)
    assert result.valid_until is None or result.valid_until.tzinfo is UTC


def test_what_is_declined_is_a_definite_answer_with_a_reason(stand: Stand) -> None:
    if not stand.declined:
        return  # it takes every token: nothing stands behind one
    asked = key()
    result = stand.provider.authorize(asked, 2836, "USD", stand.declined, ORDER)

    assert (result.status, bool(result.reason)) == (FAILED, True)
    assert stand.declined not in result.reason
    assert stand.provider.look_up(asked, AUTHORIZE, stand.declined) == result


def test_an_authorization_is_captured_in_parts(stand: Stand) -> None:
    reference = authorized(stand).reference
    parts = [(key(), amount) for amount in (1000, 1800, 36)]

    results = [stand.provider.capture(it, amount, "USD", reference) for it, amount in parts]

    assert [it.status for it in results] == [end(stand, CAPTURE)] * 3
    assert [it.amount for it in results] in ([None] * 3, [1000, 1800, 36])
    again = [stand.provider.capture(it, amount, "USD", reference) for it, amount in parts]
    assert again == results


def test_what_was_not_captured_is_released(stand: Stand) -> None:
    reference = authorized(stand).reference
    stand.provider.capture(key(), 1000, "USD", reference)

    assert stand.provider.void(key(), 1836, "USD", reference).status is end(stand, VOID)


def test_an_authorization_of_which_nothing_was_captured_is_released_in_parts(stand: Stand) -> None:
    reference = authorized(stand).reference
    parts = [(key(), amount) for amount in (1000, 1836)]

    results = [stand.provider.void(it, amount, "USD", reference) for it, amount in parts]

    assert [it.status for it in results] == [end(stand, VOID)] * 2
    assert [stand.provider.look_up(it, VOID, "", reference) for it, _ in parts] == results


def test_what_was_captured_is_refunded_in_parts(stand: Stand) -> None:
    reference = captured(stand, 2836)
    parts = [(key(), amount) for amount in (1000, 836, 1000)]

    results = [stand.provider.refund(it, amount, "USD", reference) for it, amount in parts]

    assert [it.status for it in results] == [end(stand, REFUND)] * 3
    again = [stand.provider.refund(it, amount, "USD", reference) for it, amount in parts]
    assert again == results


def test_what_was_captured_in_parts_is_refunded_at_once(stand: Stand) -> None:
    reference = authorized(stand).reference
    for amount in (1000, 1836):
        stand.provider.capture(key(), amount, "USD", reference)
    asked = key()

    result = stand.provider.refund(asked, 2836, "USD", reference)

    assert (result.status, result.amount in (None, 2836)) == (end(stand, REFUND), True)
    assert stand.provider.refund(asked, 2836, "USD", reference) == result
    assert stand.provider.look_up(asked, REFUND, "", reference) == result


def test_an_authorization_is_renewed_or_certainly_not(stand: Stand) -> None:
    old, asked = authorized(stand).reference, key()

    new = stand.provider.renew(asked, 2000, "USD", old, ORDER)

    assert new.status is (DONE if stand.renews else FAILED)
    assert stand.provider.renew(asked, 2000, "USD", old, ORDER) == new
    if stand.renews:
        assert stand.provider.capture(key(), 2000, "USD", new.reference).status is end(
            stand, CAPTURE
        )


def test_what_was_renewed_is_released(stand: Stand) -> None:
    old = authorized(stand).reference
    stand.provider.renew(key(), 2836, "USD", old, ORDER)

    assert stand.provider.void(key(), 2836, "USD", old).status is end(stand, VOID)


def test_the_same_key_gets_the_same_answer_and_a_look_up_gives_it(stand: Stand) -> None:
    provider, token, keys = stand.provider, stand.token("USD"), [key() for _ in range(4)]
    first = provider.authorize(keys[0], 2836, "USD", token, ORDER)
    assert provider.authorize(keys[0], 2836, "USD", token, ORDER) == first
    assert provider.look_up(keys[0], AUTHORIZE, token) == first

    asks = ((CAPTURE, provider.capture), (VOID, provider.void), (REFUND, provider.refund))
    for (kind, ask), asked in zip(asks, keys[1:], strict=True):
        answer = ask(asked, 500, "USD", first.reference)
        assert ask(asked, 500, "USD", first.reference) == answer
        assert provider.look_up(asked, kind, "", first.reference) == answer


def test_a_renewal_is_found_by_the_reference_that_it_renews(stand: Stand) -> None:
    if not stand.renews:
        return
    old, asked = authorized(stand).reference, key()
    new = stand.provider.renew(asked, 2836, "USD", old, ORDER)

    assert stand.provider.look_up(asked, AUTHORIZE, "", old) == new


@pytest.mark.parametrize("kind", list(OperationKind))
def test_a_key_that_was_never_asked_is_unknown(stand: Stand, kind: OperationKind) -> None:
    if not stand.remembers:
        return  # it has no memory, and its answers depend on nothing else
    reference = authorized(stand).reference

    token = stand.token("USD") if kind is AUTHORIZE else ""
    assert stand.provider.look_up(key(), kind, token, reference) is None


@pytest.mark.parametrize("currency", ["JPY", "CLP", "KWD", "BHD", "USD"])
def test_what_we_ask_is_what_the_provider_is_asked(stand: Stand, currency: str) -> None:
    result = authorized(stand, 12340, currency)

    assert result.status is end(stand, AUTHORIZE)
    assert result.amount in (None, 12340)
    if stand.asked_of:
        assert stand.asked_of(result.reference) == (12340, currency.lower())
    moved = stand.provider.capture(key(), 12340, currency, result.reference)
    assert (moved.status, moved.amount in (None, 12340)) == (end(stand, CAPTURE), True)
    back = stand.provider.refund(key(), 40, currency, result.reference)
    assert (back.status, back.amount in (None, 40)) == (end(stand, REFUND), True)


def test_no_provider_counts_these_currencies_otherwise() -> None:
    assert {from_stripe(7, code) for code in ("jpy", "clp", "kwd", "bhd", "usd")} == {7}


def test_a_webhook_without_its_signature_is_nobodys(stand: Stand) -> None:
    none = {"test-signature": "", "fake-signature": "", "stripe-signature": ""}

    assert not stand.provider.verify({}, b"{}", "secret", NOW)
    assert not stand.provider.verify(none, b"{}", "", NOW)
    assert not stand.provider.verify(none, b"\xff", "secret", NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"9" * 9999])
def test_a_webhook_that_is_no_event_is_refused_or_ignored(stand: Stand, body: bytes) -> None:
    if stand.provider.code == "fake":
        return  # only tests write to it
    try:
        assert isinstance(stand.provider.read(body), Ignored)
    except MalformedNotice:
        return
