from dataclasses import replace

import pytest

from functions.notifications.desk import reason_to_skip
from oms.contracts import codec
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.currencies import amount_text
from oms.domain.edits import Changes
from oms.domain.fulfillment import Delivery, Quantity
from oms.domain.notices.kinds import KINDS
from tests.builders import RECORD, Story, line, placement
from tests.functions.notifications.reading import Letter, composed, letter


def test_amounts_are_told_in_the_decimals_of_their_currency() -> None:
    told = [amount_text(1234567, currency) for currency in ("USD", "JPY", "KWD", "CLF")]

    assert told == ["12,345.67 USD", "1,234,567 JPY", "1,234.567 KWD", "123.4567 CLF"]
    assert amount_text(5, "EUR") == "0.05 EUR"
    assert amount_text(-250, "EUR") == "-2.50 EUR"


def test_a_confirmation_lists_what_was_bought_and_what_it_costs() -> None:
    story = Story(placement(line(1, sku="MUG", quantity=2), line(2, sku="CUP"))).authorized()

    mail = composed("PaymentAuthorized", story.order, {}, name="Ada Byron")

    assert mail.subject == "Your order 1 is confirmed"
    assert "Dear Ada Byron," in mail.text
    assert "2 × MUG\n  1 × CUP" in mail.text
    assert "Total: 35.00 USD" in mail.text


def test_a_shipment_lists_its_own_items_and_parcels() -> None:
    story = Story(placement(line(1, sku="MUG", quantity=2), line(2, sku="CUP"))).authorized()
    story.routed(("austin", {"line_1": 2}), ("reno", {"line_2": 1})).shipped(1, "EZ7")

    told = letter("FulfillmentOrderShipped", story.order, {"fulfillment_order_id": story.box(1)})

    assert told.items == ("2 × MUG",)
    assert told.closing == ("Parcel: easypost, EZ7",)


def test_a_delivery_lists_what_arrived() -> None:
    story = Story(placement(line(1, sku="MUG", quantity=2))).authorized().routed().shipped()
    story.captured().delivered()

    told = letter("FulfillmentOrderDelivered", story.order, {"fulfillment_order_id": story.box(1)})

    assert (told.subject, told.items) == ("Your order 1 has arrived", ("2 × MUG",))


def test_a_cancellation_says_what_happens_to_the_money() -> None:
    unpaid = Story().authorized().do(c.CancelOrder("changed my mind"))
    paid = Story(placement(provider="external", captured=1500)).do(c.CancelOrder("no"))

    told = [letter("OrderCancelled", story.order, {}).closing for story in (unpaid, paid)]

    assert told == [("You have not been charged.",), ("15.00 USD will be returned to you.",)]


def test_the_reason_that_staff_gave_is_not_told() -> None:
    story = Story().do(c.CancelOrder("looks like fraud"))

    mail = composed("OrderCancelled", story.order, {})

    assert "fraud" not in mail.text + mail.html


def test_names_and_skus_cannot_write_html_or_another_header() -> None:
    sku = '<img src="x">&'
    story = Story(placement(line(1, sku=sku), external_id="a\r\nBcc: b")).authorized()

    mail = composed("PaymentAuthorized", story.order, {}, name="<script>alert(1)</script>")

    assert "<script>" not in mail.html
    assert "<img" not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail.html
    assert "&lt;img src=&quot;x&quot;&gt;&amp;" in mail.html
    assert mail.subject == "Your order a Bcc: b is confirmed"


@pytest.mark.parametrize(("count", "last"), [(50, "1 × SKU-50"), (51, "and 1 more")])
def test_a_long_list_is_cut(count: int, last: str) -> None:
    story = Story(placement(*map(line, range(1, count + 1)))).authorized()

    assert letter("PaymentAuthorized", story.order, {}).items[-1] == last


def backordered(**said: object) -> Story:
    story = Story(placement(line(1, sku="MUG", quantity=2), line(2, sku="CUP"))).authorized()
    return story.do(c.Backorder((Quantity("line_1", 1),), **said))  # type: ignore[arg-type]


def told_of(story: Story, kind: type[object]) -> Letter:
    """By the last event of its kind, as the bus brings it."""
    event = story.events(kind)[-1]
    return letter(kind.__name__, story.order, codec.slim(event))


def test_who_waits_is_told_for_what_and_until_when() -> None:
    told = told_of(backordered(expected_on="2026-03-20"), e.OrderBackordered)

    assert told.items == ("1 × MUG",)
    assert told.closing == ("We expect them by 20 March 2026.",)
    unknown = told_of(backordered(), e.OrderBackordered).closing
    assert unknown == ("We do not know the day yet; we send them as soon as we can.",)


def test_a_pre_order_is_not_called_out_of_stock() -> None:
    told = told_of(backordered(expected_on="2026-06-01", preorder=True), e.OrderBackordered)

    assert "not released yet" in told.opening


def test_another_date_is_told() -> None:
    story = backordered().do(c.RescheduleBackorder("MUG", "2026-04-02"))

    told = told_of(story, e.BackorderRescheduled)

    assert (told.items, told.closing) == (("1 × MUG",), ("We expect them by 2 April 2026.",))


def test_what_has_come_in_is_told_with_what_was_waited_for() -> None:
    story = backordered().do(c.ReleaseBackorder("MUG"))

    assert told_of(story, e.BackorderReleased).items == ("2 × MUG",)


def test_what_could_not_be_had_is_told_and_not_charged() -> None:
    story = backordered().do(c.CancelOrder("out_of_stock", waiting=True, lines=mug()))

    told = told_of(story, e.OrderLinesCancelled)

    assert told.items == ("1 × MUG",)
    assert "could not get" in told.opening
    assert told.closing == ("You will not be charged for them.", "You have not been charged.")


def mug() -> tuple[Quantity, ...]:
    return (Quantity("line_1", 1),)


def test_who_is_to_collect_it_is_told_where_and_how_long() -> None:
    story = Story(placement(line(1, sku="MUG"), pickup_location="austin")).authorized()
    plan = (replace(story.plan(("austin", {"line_1": 1}))[0], delivery=Delivery.PICKUP),)
    story.do(c.RecordRouting(plan, RECORD)).packed()
    story.do(c.ReadyFulfillmentOrder(story.box(1)))

    told = told_of(story, e.FulfillmentOrderReady)

    assert (told.opening, told.items) == ("You can collect these items at austin:", ("1 × MUG",))
    assert told.closing == ("We keep them for you for 7 days.",)


@pytest.mark.parametrize(
    ("kind", "commands", "reason"),
    [
        (e.OrderBackordered, (), ""),
        (e.OrderBackordered, (c.ReleaseBackorder("MUG"),), "there by now"),
        (e.OrderBackordered, (c.ReleaseBackorder("MUG"), c.Backorder(mug())), "told before"),
        (e.BackorderReleased, (c.ReleaseBackorder("MUG"),), ""),
        (e.BackorderReleased, (c.ReleaseBackorder("MUG"), c.Backorder(mug())), "waits again"),
        (e.OrderLinesCancelled, (c.CancelOrder("out_of_stock", mug()),), ""),
        (e.OrderLinesCancelled, (c.CancelOrder("too many", mug()),), "the customer's own wish"),
    ],
)
def test_what_is_no_news_is_not_told(
    kind: type[object], commands: tuple[c.Command, ...], reason: str
) -> None:
    story = backordered().do(*commands)
    data = codec.slim(story.events(kind)[-1])

    skipped = reason_to_skip(kind.__name__, story.order, Contact("ada@example.com", "Ada"), data)

    assert skipped == reason


def test_a_mere_routing_window_is_nobodys_news() -> None:
    assert "OrderRoutingDeferred" not in KINDS


def test_an_edit_is_told_as_the_order_is_now_and_with_the_money_that_comes_back() -> None:
    lines = (line(1, sku="MUG", quantity=2), line(2, sku="CUP"))
    story = Story(placement(*lines, provider="external", captured=3500))
    pot = Changes(added=(line(9, sku="POT", unit_price=200),), removed=(Quantity("line_2", 1),))
    story.edited("edt_1", replace(pot, contact="edt_1"))

    told = told_of(story, e.OrderEdited)

    assert told.subject == "Your order 1 was changed"
    assert told.items == ("2 × MUG", "1 × POT")
    assert told.closing == (
        "Total: 27.00 USD",
        "What has not shipped yet goes to your new address.",
        "8.00 USD will be returned to you.",
    )


def test_the_money_for_an_edit_is_no_second_confirmation() -> None:
    story = Story(placement(line(1))).authorized()
    story.edited("edt_1", Changes(added=(line(2),))).captured()
    data = codec.slim(story.events(e.PaymentAuthorized)[-1])

    assert reason_to_skip("PaymentAuthorized", story.order, Contact("ada@example.com"), data)
