"""What customers hear of goods that they send back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.notifications.desk import reason_to_skip
from oms.contracts import codec
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.order import Order
from oms.domain.returns import (
    Acceptance,
    Disposition,
    Inspected,
    Received,
    Reception,
    Resolution,
    ReturnLine,
    Terms,
)
from tests.builders import NOW, Story, line, placement
from tests.functions.notifications.reading import Letter, composed, letter

LINES = (ReturnLine("line_1", 2, "too_small"),)
UNTIL = NOW + timedelta(days=14)
TAKEN = (Inspected("line_1", 2, Acceptance.ACCEPTED, Disposition.RESTOCK),)


def asked(currency: str = "USD", resolution: Resolution = Resolution.REFUND, **how: Any) -> Story:
    story = Story(placement(line(1, sku="MUG", quantity=3), currency=currency))
    story.authorized().routed().shipped().captured().delivered()
    return story.do(c.RequestReturn(LINES, resolution, **how))


def approved(terms: Terms = Terms(), **how: Any) -> Story:  # noqa: B008
    story = asked(**how)
    until = None if terms.keep else UNTIL
    return story.do(c.ApproveReturn(story.order.returns[0].return_id, terms, until))


def told(story: Story, kind: type[Any]) -> tuple[str, Order, Any]:
    return kind.__name__, story.order, codec.slim(story.events(kind)[-1])


def letter_of(story: Story, kind: type[Any]) -> Letter:
    return letter(*told(story, kind))


def skipped(story: Story, kind: type[Any]) -> str:
    name, order, data = told(story, kind)
    return reason_to_skip(name, order, Contact("ada@example.com"), data)


def received(story: Story, *lines: Received, **more: Any) -> Story:
    (found,) = story.order.returns
    lines = lines or (Received("line_1", 2),)
    return story.do(c.ReceiveReturn(found.return_id, "austin", lines, **more))


def test_who_may_send_goods_back_is_told_which_and_until_when() -> None:
    said = letter_of(approved(), e.ReturnApproved)

    assert said.subject == "Your order 1: your return is accepted"
    assert said.opening == "Please send these items back to us:"
    assert said.items == ("2 × MUG",)
    assert said.closing == ("We expect that you hand them over by 16 March 2026.",)


def test_what_is_taken_off_is_told_beforehand() -> None:
    terms = Terms(restocking_fee_bp=1250, return_shipping=490)

    said = letter_of(approved(terms), e.ReturnApproved)

    assert said.closing[1:] == (
        "A fee of 12.5 % of their price is taken off.",
        "For the way back, 4.90 USD is taken off.",
    )


def test_who_goes_to_a_store_is_told_to_which() -> None:
    said = letter_of(approved(in_store="RENO"), e.ReturnApproved)

    assert said.opening == "Please bring these items to RENO:"


def test_who_may_keep_the_goods_is_told_so_and_nothing_of_a_day() -> None:
    story = approved(Terms(keep=True))

    assert letter_of(story, e.ReturnApproved).opening == "You need not send these items back:"
    assert letter_of(story, e.ReturnApproved).closing == ()
    assert skipped(story, e.ReturnApproved) == ""


def test_why_staff_have_declined_is_not_told() -> None:
    story = asked()
    story.do(c.DeclineReturn(story.order.returns[0].return_id, "looks like fraud"))

    mail = composed(*told(story, e.ReturnDeclined), name="Ada")

    assert "cannot take these items back" in mail.text
    assert "fraud" not in mail.text + mail.html


def test_what_has_come_is_told_and_what_has_not_is_left_out() -> None:
    story = received(
        approved(), Received("line_1", 1), Received("line_1", 1, Reception.LOST_IN_TRANSIT)
    )

    assert letter_of(story, e.ReturnReceived).items == ("1 × MUG",)
    assert skipped(story, e.ReturnReceived) == ""


def test_a_receipt_of_nothing_is_no_news() -> None:
    story = received(approved(), Received("line_1", 1, Reception.SHORT))

    assert skipped(story, e.ReturnReceived) == "nothing to wait for"


def test_goods_that_are_paid_for_as_they_come_are_told_of_once() -> None:
    story = received(approved(), inspected=TAKEN)

    assert skipped(story, e.ReturnReceived) == "nothing to wait for"
    assert skipped(story, e.ReturnSettled) == ""


@pytest.mark.parametrize(("currency", "amount"), [("USD", "20.00 USD"), ("JPY", "2,000 JPY")])
def test_the_refund_is_told_in_the_decimals_of_its_currency(currency: str, amount: str) -> None:
    story = received(approved(currency=currency), inspected=TAKEN)

    said = letter_of(story, e.ReturnSettled)

    assert said.subject == "Your order 1: your refund"
    assert said.opening == (
        f"For your return, {amount} will be returned to you. It is for these items:"
    )
    assert said.items == ("2 × MUG",)


@pytest.mark.parametrize(
    ("resolution", "where"),
    [(Resolution.STORE_CREDIT, "your store credit"), (Resolution.GIFT_CARD, "a gift card")],
)
def test_it_is_told_where_the_money_goes(resolution: Resolution, where: str) -> None:
    story = received(approved(resolution=resolution), inspected=TAKEN)

    assert where in letter_of(story, e.ReturnSettled).opening


def test_goodwill_is_told() -> None:
    story = approved()
    credit = {"credit_id": "crd_1", "kind": "goodwill", "amount": 250, "parts": []}

    said = letter("RefundGranted", story.order, {"credit": credit})

    assert said.opening == "2.50 USD will be returned to you."


def test_a_credit_of_nothing_is_no_news() -> None:
    name, order, data = told(received(approved(), inspected=TAKEN), e.ReturnSettled)
    nothing = {**data, "credit": {**data["credit"], "amount": 0}}

    assert reason_to_skip(name, order, Contact("ada@example.com"), nothing) == "no money"


def test_who_was_late_is_told() -> None:
    story = approved()
    story.do(c.ExpireReturn(story.order.returns[0].return_id))

    assert letter_of(story, e.ReturnExpired).items == ("2 × MUG",)
    assert skipped(story, e.ReturnExpired) == ""
    assert skipped(story, e.ReturnApproved) == "over by now"


def test_every_resolution_has_its_words() -> None:
    story = received(approved(), inspected=TAKEN)
    name, order, data = told(story, e.ReturnSettled)
    for resolution in Resolution:
        returns = tuple(replace(each, resolution=resolution) for each in order.returns)
        assert letter(name, replace(order, returns=returns), data).opening
