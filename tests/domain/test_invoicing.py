"""Invoices say what was charged, credit notes what was given back: to the minor unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.invoices.issuing import drafts
from oms.contracts import codec
from oms.domain import events as e
from oms.domain.invoicing import (
    Document,
    DocumentKind,
    Draft,
    InvoicePolicy,
    Row,
    Seller,
    TaxSum,
    numbered,
)
from oms.domain.lines import Discount, Shipping, Tax
from oms.domain.order import Fact, apply
from oms.domain.refunds import Credit, CreditKind, CreditPart, PartKind
from tests.builders import NOW, Story, line, placement

GOODWILL = Credit(
    "crd_1", CreditKind.GOODWILL, 500, (CreditPart(PartKind.GOODWILL, 500),), reason="late"
)


def told(story: Story) -> list[Draft]:
    return [draft for draft, _ in drafts(story.order_id, story.facts)]


def with_fact(story: Story, event: e.Event) -> Story:
    fact = Fact(story.order.version + 1, NOW, "test", event)
    story.order = apply(story.order_id, story.order, fact)
    story.facts.append(fact)
    return story


@st.composite
def orders(draw: st.DrawFn) -> Story:
    lines = [
        line(
            number,
            quantity=draw(st.integers(1, 5)),
            unit_price=draw(st.integers(1, 999)),
            tax=draw(st.integers(0, 99)),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]
    off = draw(st.integers(0, sum(each.gross for each in lines)))
    given_off = {"discounts": (Discount("ALL", off),)} if off else {}
    said: dict[str, Any] = {"tax_included": draw(st.booleans()), **given_off}
    shipping = Shipping("standard", draw(st.integers(1, 700)), (Tax("VAT", "0.2", 7),))
    return Story(placement(*lines, shipping=shipping, **said)).authorized()


@given(orders(), st.data())
def test_the_invoices_of_all_shipments_add_up_to_what_was_captured(
    story: Story, data: st.DataObject
) -> None:
    first = {x.line_id: data.draw(st.integers(0, x.open)) for x in story.order.lines}
    rest = {x.line_id: x.open - first[x.line_id] for x in story.order.lines}
    boxes = [{k: v for k, v in box.items() if v} for box in (first, rest) if any(box.values())]
    story.routed(*(("austin", box) for box in boxes))
    for number in range(1, len(boxes) + 1):
        story.shipped(number, f"EZ{number}").captured()

    invoices = told(story)

    assert sum(each.total for each in invoices) == story.order.payment.captured
    assert all(each.kind is DocumentKind.INVOICE and each.rows for each in invoices)
    if len(invoices) == len(boxes):
        taxes = sum(tax.amount for each in invoices for tax in each.taxes)
        assert taxes == sum(tax.amount for x in story.order.lines for tax in x.taxes) + 7


def test_shipping_is_on_the_first_invoice_only() -> None:
    story = Story(placement(line(quantity=2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_1": 1}))
    story.shipped(1, "EZ1").shipped(2, "EZ2")

    first, second = told(story)

    assert [row.label for row in first.rows] == ["SKU-1", "Shipping: standard"]
    assert [row.label for row in second.rows] == ["SKU-1"]
    assert (first.total, second.total) == (1500, 1000)


def test_nothing_is_invoiced_before_it_leaves_nor_when_it_costs_nothing() -> None:
    free = placement(line(unit_price=0), shipping=Shipping("standard", 0), external_id="2")

    assert told(Story().authorized().routed().packed()) == []
    assert told(Story(free).routed().shipped()) == []


def test_a_goodwill_refund_has_a_credit_note_that_says_so() -> None:
    story = with_fact(Story().authorized().routed().shipped().captured(), e.RefundGranted(GOODWILL))

    invoice, note = told(story)

    assert (note.kind, note.total, note.reason) == (DocumentKind.CREDIT_NOTE, 500, "late")
    assert note.rows == (Row("Goodwill", 500, 1, 500),)
    assert note.event_id != invoice.event_id


def test_a_credit_note_has_one_row_for_the_same_units_and_one_for_each_fee() -> None:
    parts = (
        CreditPart(PartKind.PRICE, 2000, "line_1", 1, 2),
        CreditPart(PartKind.DISCOUNT, -200, "line_1", 1, 2, "OFF"),
        CreditPart(PartKind.TAX, 66, "line_1", 1, 2, "VAT"),
        CreditPart(PartKind.RESTOCKING_FEE, -100),
    )
    credit = Credit("crd_1", CreditKind.RETURN, 1766, parts, "ret_1", "too_small")
    story = Story(placement(line(quantity=3, discount=300, tax=100))).authorized().routed()
    with_fact(story.shipped().captured(), e.RefundGranted(credit))

    note = told(story)[-1]

    assert note.rows == (
        Row("SKU-1", 1866, 2, 1000, 200, 66),
        Row("Restocking fee", -100, 1, -100),
    )
    assert note.taxes == (TaxSum("VAT", "0.2", 66),)
    assert note.total == credit.amount


def test_the_series_of_a_year_begins_in_the_sellers_own_time_zone() -> None:
    policy = InvoicePolicy(time_zone="Pacific/Auckland")
    new_years_eve = datetime(2026, 12, 31, 12, tzinfo=UTC)

    assert policy.series(DocumentKind.INVOICE, new_years_eve) == "INV-2027"
    assert InvoicePolicy().series(DocumentKind.CREDIT_NOTE, new_years_eve) == "CN-2026"
    assert numbered("INV-2027", 7) == "INV-2027-000007"


def test_a_document_is_read_as_it_was_written() -> None:
    draft = told(Story().authorized().routed().shipped())[0]
    document = Document("INV-2026-000001", draft, NOW, Seller("Us", ("1 High St",)), ("INV-1",))

    assert codec.decode(codec.encode(document), Document) == document
    assert replace(document, number="INV-2026-000002") != document
