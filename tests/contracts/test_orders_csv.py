"""Orders in files: rows that belong together, exact amounts, reasons where they are wrong."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.contracts import orders_csv
from oms.contracts.api.orders import ChannelOrder
from oms.contracts.csv_rows import BadHeader, Line, Refused, lines
from oms.contracts.orders_csv import Row, header, orders, row_of

HEAD = (
    "order,currency,sku,quantity,unit_price,discount,tax,tax_included,email,name,address1,city,"
    "postal_code,country,shipping_price,order_discount,total,paid"
)
TWO = [
    "W-1,EUR,MUG,3,10.00,1.00,5.51,no,ada@example.com,Ada,1 Main St,Paris,75001,FR,4.90,,,yes",
    "W-1,,PAN,1,20.5,,,,,,,,,,,,,",
]


def rows(*content: str, head: str = HEAD) -> list[Row]:
    first, *rest = lines(["\n".join([head, *content]).encode()])
    found = [row_of(header(first), line) for line in rest]
    assert all(isinstance(each, Row) for each in found), found
    return [each for each in found if isinstance(each, Row)]


def order(*content: str, head: str = HEAD) -> ChannelOrder:
    said = orders_csv.read("wholesale", rows(*content, head=head))
    assert isinstance(said, ChannelOrder), said
    return said


def refused(*content: str, head: str = HEAD) -> list[tuple[int, str, str]]:
    said = orders_csv.read("wholesale", rows(*content, head=head))
    assert isinstance(said, list), said
    return [(each.line, each.column, each.refusal) for each in said]


def test_the_rows_of_an_order_are_its_lines_and_every_cent_is_kept() -> None:
    said = order(*TWO)

    assert [(x.sku, x.quantity, x.unit_price) for x in said.lines] == [
        ("MUG", 3, 1000),
        ("PAN", 1, 2050),
    ]
    assert said.total == said.sum_of_parts == 3 * 1000 - 100 + 551 + 2050 + 490
    assert said.payment.captured == said.total
    assert said.shipping_address is not None
    assert (said.shipping_address.country, said.shipping_address.line1) == ("FR", "1 Main St")


def test_orders_are_told_apart_by_their_number() -> None:
    found = rows(*TWO, TWO[0].replace("W-1", "W-2"))

    assert [[row.line for row in each] for each in orders(found)] == [[2, 3], [4]]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (TWO[0].replace("10.00", "10.005"), "unit_price"),
        (TWO[0].replace("10.00", "ten"), "unit_price"),
        (TWO[0].replace("10.00", "-1"), "unit_price"),
        (TWO[0].replace(",3,", ",3.5,"), "quantity"),
        (TWO[0].replace(",3,", ",0,"), "quantity"),
        (TWO[0].replace("MUG", ""), "sku"),
        (TWO[0].replace("EUR", "XXX"), "currency"),
        (TWO[0].replace("EUR", ""), "currency"),
        (TWO[0].replace(",no,", ",maybe,"), "tax_included"),
        (TWO[0].replace("ada@example.com", "ada"), "email"),
        (TWO[0].replace(",FR,", ",France,"), "country"),
        (TWO[0].replace(",FR,", ",,"), "country"),
        (TWO[0].replace(",1.00,", ",99.00,"), "discount"),
        (TWO[0].replace(",,,yes", ",,1.00,yes"), "total"),
        (TWO[0].replace(",,,yes", ",,,1000000"), "paid"),
    ],
)
def test_what_is_wrong_is_told_with_its_row_and_column(row: str, told: str) -> None:
    first, second = refused(row, TWO[1])

    assert (first[0], first[1]) == (2, told)
    assert second == (3, "", "is of the order that line 2 spoils")


def test_a_later_row_may_not_say_the_order_otherwise() -> None:
    other = TWO[1].replace("W-1,,", "W-1,USD,")

    assert refused(TWO[0], other) == [
        (2, "", "is of the order that line 3 spoils"),
        (3, "currency", "is not what line 2 says of the order"),
    ]


def test_a_till_sells_without_buyer_and_address() -> None:
    said = order("T-1,JPY,TEA,2,350", head="order,currency,sku,quantity,unit_price")

    assert (said.customer, said.shipping_address, said.total) == (None, None, 700)


@pytest.mark.parametrize(("paid", "captured"), [("no", 0), ("5.00", 500)])
def test_what_was_not_paid_waits(paid: str, captured: int) -> None:
    said = order(TWO[0].replace(",yes", f",{paid}"))

    assert said.payment.captured == captured
    assert f"{captured} of {said.total}" in said.payment_hold


@pytest.mark.parametrize(
    ("head", "wrong"),
    [
        ("order,currency,sku,quantity", "unit_price"),
        ("order,currency,sku,quantity,unit_price,colour", "colour"),
        ("order,order,currency,sku,quantity,unit_price", "twice"),
    ],
)
def test_a_file_of_other_columns_is_refused(head: str, wrong: str) -> None:
    with pytest.raises(BadHeader, match=wrong):
        header(Line(1, head.encode(), len(head)))


def test_a_row_without_its_orders_number_is_refused_alone() -> None:
    line = Line(2, b",EUR,MUG,1,1.00", 20)

    said = row_of(("order", "currency", "sku", "quantity", "unit_price"), line)

    assert said == Refused(2, "order", "is empty", ("", "EUR", "MUG", "1", "1.00"))


CELLS = st.text(max_size=12) | st.sampled_from(["yes", "1", "-1", "EUR", "1.005", "=1+1"])


@given(st.lists(st.dictionaries(st.sampled_from(orders_csv.KNOWN), CELLS), max_size=4))
def test_whatever_rows_say_is_an_order_or_a_reason_for_each(said: Iterable[dict[str, str]]) -> None:
    found = [Row(place, (), {**each, "order": "W-1"}) for place, each in enumerate(said, 2)]
    if not found:
        return

    answer = orders_csv.read("wholesale", found)

    if isinstance(answer, ChannelOrder):
        assert answer.sum_of_parts == answer.total
    else:
        assert [each.line for each in answer] == [row.line for row in found]
        assert all(each.refusal for each in answer)
