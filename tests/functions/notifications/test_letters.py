import pytest

from functions.notifications.letters import Letter, amount_text, letter, mail_of
from oms.domain import commands as c
from tests.builders import Story, line, placement


def test_amounts_are_told_in_the_decimals_of_their_currency() -> None:
    told = [amount_text(1234567, currency) for currency in ("USD", "JPY", "KWD", "CLF")]

    assert told == ["12,345.67 USD", "1,234,567 JPY", "1,234.567 KWD", "123.4567 CLF"]
    assert amount_text(5, "EUR") == "0.05 EUR"
    assert amount_text(-250, "EUR") == "-2.50 EUR"


def test_a_confirmation_lists_what_was_bought_and_what_it_costs() -> None:
    story = Story(placement(line(1, sku="MUG", quantity=2), line(2, sku="CUP"))).authorized()

    mail = mail_of(letter("PaymentAuthorized", story.order, {}), "Ada Byron")

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

    mail = mail_of(letter("OrderCancelled", story.order, {}), "")

    assert "fraud" not in mail.text + mail.html


def test_names_and_skus_cannot_write_html() -> None:
    evil = Letter("a\r\nBcc: b", "<b>", ('<img src="x">',), ("&",))

    mail = mail_of(evil, "<script>alert(1)</script>")

    assert "<script>" not in mail.html
    assert "<img" not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail.html
    assert "<p>&lt;b&gt;</p>" in mail.html
    assert mail.subject == "a Bcc: b"


@pytest.mark.parametrize(("count", "last"), [(50, "50 × S"), (51, "and 1 more")])
def test_a_long_list_is_cut(count: int, last: str) -> None:
    items = tuple(f"{number} × S" for number in range(1, count + 1))

    text = mail_of(Letter("s", "o", items), "").text

    assert text.rstrip().endswith(last)
