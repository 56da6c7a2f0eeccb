"""Files as providers, carriers and channels write them: what each line says, exactly."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.contracts import csv_rows
from oms.contracts.csv_rows import BadHeader, Line, Refused
from oms.contracts.statements import FORMATS
from oms.contracts.statements.rows import MAX_LINES, day_of, is_blank, records
from oms.domain.currencies import EXPONENTS
from oms.domain.reconciling.entries import Entry, EntryKind, StatementKind

FILES = Path(__file__).parent / "files"
PAYOUTS = FORMATS[StatementKind.PAYOUTS]
CARRIERS = FORMATS[StatementKind.CARRIER_INVOICE]
ORDERS = FORMATS[StatementKind.CHANNEL_ORDERS]
KINDS = {**ORDERS, **CARRIERS, **PAYOUTS}


def read(name: str, content: bytes = b"", currency: str = "") -> list[Entry | Refused]:
    """As the job does it: the columns first, then each record."""
    form = KINDS[name]
    source = records(csv_rows.lines([content or (FILES / f"{name}.csv").read_bytes()]))
    columns: tuple[str, ...] = ()
    for line in source if form.is_named else ():
        if (found := form.columns(line)) is not None:
            columns = found
            break
    told = (form.entry(columns, line, currency) for line in source if not is_blank(line))
    return [each for each in told if each is not None]


def entries(name: str, **more: str) -> list[Entry]:
    found = read(name, **more)  # type: ignore[arg-type]
    assert not [each for each in found if isinstance(each, Refused)]
    return [each for each in found if isinstance(each, Entry)]


def test_stripe_tells_what_the_buyer_has_paid_in_the_buyers_currency() -> None:
    charge, reversal, refund, dispute, fee, payout, yen = entries("stripe")

    assert charge == Entry(
        2, EntryKind.CAPTURE, 1500, "USD", ("ch_1", "pi_1"), "txn_1", "ord_one", 74, "USD",
        date(2026, 3, 2),
    )  # fmt: skip
    assert (reversal.amount, reversal.is_part, reversal.references[0]) == (-500, True, "ch_1")
    assert (refund.amount, refund.currency, refund.references) == (-1000, "EUR", ("re_1",))
    assert (dispute.kind, dispute.amount, dispute.fee) == (EntryKind.CHARGEBACK, -2000, 1500)
    assert dispute.references == ("du_1",)
    assert (fee.kind, fee.amount) == (EntryKind.FEE, -200)
    assert payout.kind is EntryKind.ASIDE
    assert (yen.amount, yen.currency, yen.fee) == (1500, "JPY", 54)


def test_adyen_names_a_capture_by_itself_and_by_its_payment() -> None:
    settled, refunded, chargeback, fee, payout = entries("adyen")

    assert settled.references == ("MOD0000000000001", "PSP0000000000001")
    assert (settled.amount, settled.fee, settled.order) == (1500, 39, "W-1")
    assert refunded.references == ("MOD0000000000002",)
    assert (refunded.amount, refunded.fee) == (-400, 10)
    assert (chargeback.kind, chargeback.amount) == (EntryKind.CHARGEBACK, -900)
    assert (fee.kind, fee.amount, fee.currency) == (EntryKind.FEE, -1240, "EUR")
    assert payout.kind is EntryKind.ASIDE


def test_paypal_amounts_are_whole_numbers_of_its_own_smallest_unit() -> None:
    sale, refund, dollars_of_taiwan, withdrawal = entries("paypal")

    assert (sale.line, sale.kind, sale.amount, sale.fee) == (5, EntryKind.CAPTURE, 1500, 74)
    assert (sale.references, sale.order, sale.on) == (("8AA",), "W-1", date(2026, 3, 3))
    assert (refund.kind, refund.amount, refund.fee) == (EntryKind.REFUND, -500, -10)
    assert (dollars_of_taiwan.amount, dollars_of_taiwan.fee) == (12000, 500)
    assert withdrawal.kind is EntryKind.ASIDE


def test_ups_charges_a_parcel_on_several_lines_and_some_charges_are_of_none() -> None:
    freight, fuel, other, correction, weekly = entries("ups")

    assert [each.amount for each in (freight, fuel)] == [510, 92]
    assert freight.references == fuel.references == ("1ZA1",)
    assert all(each.is_part for each in (freight, fuel, other, correction))
    assert len({each.identity for each in (freight, fuel, other, correction)}) == 4
    assert (weekly.kind, weekly.amount) == (EntryKind.FEE, -328)


def test_fedex_needs_to_be_told_its_currency_and_joins_the_prefix() -> None:
    assert {each.column for each in read("fedex") if isinstance(each, Refused)} == {"Currency Code"}

    first, second = entries("fedex", currency="USD")
    assert (first.references, first.amount, first.on) == (
        ("794600000001",),
        1235,
        date(2026, 3, 2),
    )
    assert second.references == ("612900000002",)


def test_dhl_charges_are_net_of_tax_and_the_invoices_own_line_is_passed_over() -> None:
    (shipment,) = entries("dhl")

    assert (shipment.references, shipment.amount) == (("4100000001",), 3010)


def test_shopify_has_one_line_of_totals_for_an_order_and_remarks_of_several_lines() -> None:
    first, second = entries("shopify")

    assert (first.line, first.references) == (2, ("5101", "#1001", "1001"))
    assert (first.amount, first.on, first.is_void) == (1500, date(2026, 3, 3), False)
    assert (second.line, second.is_void) == (5, True)


@pytest.mark.parametrize("name", ["stripe", "adyen", "fedex", "dhl", "shopify"])
def test_a_mark_of_the_byte_order_and_other_ends_of_lines_change_nothing(name: str) -> None:
    plain = (FILES / f"{name}.csv").read_bytes().replace(b"\r\n", b"\n")
    other = b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")

    assert read(name, other, "USD") == read(name, plain, "USD")


@pytest.mark.parametrize(
    ("cells", "column", "why"),
    [
        ('a,capture,"1,234.56",,USD', "amount", "thousands"),
        ('a,capture,"12,34",,EUR', "amount", "comma"),
        ("a,capture,1.005,,USD", "amount", "no amount in USD"),
        ("a,capture,100.5,,JPY", "amount", "no amount in JPY"),
        ("a,capture,-1.00,,USD", "amount", "negative"),
        ("a,capture,1e3,,USD", "amount", "no amount"),
        ("a,capture,,,USD", "amount", "empty"),
        ("a,capture,1.00,,XXX", "currency", "no currency"),
        ("a,sale,1.00,,USD", "kind", "none of"),
        (",capture,1.00,,USD", "reference", "empty"),
        ("a,capture,1.00,,USD,more", "", "cells"),
        ("a,capture,9999999999999999,,USD", "amount", "no amount"),
        (f"{'a' * 101},capture,1.00,,USD", "reference", "longer"),
        ("a\x07,capture,1.00,,USD", "reference", "control"),
    ],
)
def test_nothing_is_guessed(cells: str, column: str, why: str) -> None:
    (refused,) = read("generic", f"reference,kind,amount,fee,currency\n{cells}\n".encode())

    assert isinstance(refused, Refused)
    assert refused.column == column
    assert why in refused.refusal


@pytest.mark.parametrize(
    "text", ["03/04/2026", "4.3.2026", "2026-13-01", "2026-3-1", "1899-01-01", "yesterday", "1"]
)
def test_a_day_that_can_be_read_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no day"):
        day_of("date", text)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04rest", "packed"),
        (b"\x1f\x8b\x08rest", "packed"),
        ("reference,kind".encode("utf-16"), "UTF-8"),
        ("référence,kind".encode("latin-1"), "UTF-8"),
        (b"reference;kind;amount;currency", "commas"),
        (b"reference,kind,amount,amount,currency", "twice"),
        (b"reference,kind", "names no column amount, currency"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_its_first_line(content: bytes, why: str) -> None:
    with pytest.raises(BadHeader, match=why):
        PAYOUTS["generic"].columns(Line(1, content, len(content)))


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(0, 10**12), st.integers(0, 10**6))
def test_what_is_written_exactly_is_read_exactly(currency: str, amount: int, fee: int) -> None:
    text = f"a,capture,{decimal(amount, currency)},{decimal(fee, currency)},{currency}"

    (entry,) = read("generic", f"reference,kind,amount,fee,currency\n{text}\n".encode())

    assert isinstance(entry, Entry)
    assert (entry.amount, entry.fee, entry.currency) == (amount, fee, currency)


def decimal(amount: int, currency: str) -> str:
    exponent = EXPONENTS[currency]
    digits = str(amount).rjust(exponent + 1, "0")
    return f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits


@given(st.binary(max_size=300), st.sampled_from(sorted(KINDS)))
def test_no_content_breaks_a_reader(content: bytes, name: str) -> None:
    try:
        found = read(name, content or b"x")
    except BadHeader:
        return
    assert all(isinstance(each, Entry | Refused) for each in found)


@given(st.lists(st.text(alphabet='a",', max_size=6), max_size=30))
def test_records_are_all_lines_in_their_order(texts: list[str]) -> None:
    content = "\n".join(texts).encode()
    lines = list(csv_rows.lines([content]))

    found = list(records(lines))

    assert b"\n".join(each.content for each in found) == b"\n".join(e.content for e in lines)
    assert [each.end for each in found] == [
        line.end for line in lines if line.end in {each.end for each in found}
    ]


def test_a_quote_that_nobody_closes_takes_a_part_of_the_file_and_not_all() -> None:
    head = "reference,kind,amount,fee,currency\n"
    text = head + '"a,capture,1.00,,USD\n' + "b,capture,1.00,,USD\n" * (2 * MAX_LINES)

    first, *others = read("generic", text.encode())

    assert isinstance(first, Refused)
    assert len(others) == MAX_LINES + 1
    assert all(isinstance(each, Entry) for each in others)
