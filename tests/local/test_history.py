"""An order history is read as it is: in time order, exactly, and in little memory."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from infra.local.replay.history import NEARBY_ROWS, BadHistory, Row, gathered, invoices, rows
from infra.local.replay.merchandise import sort_cancellation, sort_sale

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
FIRST_EDITION = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
SOLD = "536365,85123A,HEART HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"


def written(folder: Path, text: str, header: str = HEADER) -> Path:
    path = folder / "history.csv"
    path.write_text(header + text)
    return path


def row(
    sku: str = "85123A", quantity: int = 1, price: str = "2.55", invoice: str = "536365"
) -> Row:
    return Row(invoice, sku, quantity, Decimal(price), "17850", "United Kingdom")


def refused(one: Row) -> dict[str, int]:
    return dict(sort_sale(next(gathered([one]))).refused)


@pytest.mark.parametrize("header", [HEADER, FIRST_EDITION])
def test_both_editions_of_the_columns_are_read(tmp_path: Path, header: str) -> None:
    (one,) = rows(written(tmp_path, SOLD, header))

    assert one == row(quantity=6)


def test_a_gzipped_history_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "history.csv.gz"
    path.write_bytes(gzip.compress((HEADER + SOLD).encode()))

    assert [each.number for each in invoices(path)] == ["536365"]


def test_a_customer_that_was_exported_as_a_fraction_is_the_same_customer(tmp_path: Path) -> None:
    (one,) = rows(written(tmp_path, SOLD.replace("17850", "17850.0")))

    assert one.customer == "17850"


def test_a_file_without_the_columns_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadHistory, match="no column Country"):
        next(rows(written(tmp_path, "", HEADER.replace(",Country", ""))))


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadHistory, match="No such file"):
        next(invoices(tmp_path / "absent.csv"))


def test_an_invoice_is_whole_though_its_neighbour_was_written_at_once() -> None:
    mixed = [row(invoice=number) for number in ("1", "2", "1", "2", "1", "3")]

    found = [(each.number, len(each.rows)) for each in gathered(mixed)]

    assert found == [("1", 3), ("2", 2), ("3", 1)]


def test_an_invoice_is_handed_on_once_no_row_of_it_came_for_a_while() -> None:
    taken = 0

    def counted() -> "object":
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield row(invoice=str(number))

    next(gathered(counted()))  # type: ignore[arg-type]

    assert taken <= NEARBY_ROWS + 2


def test_two_rows_that_are_alike_are_two_lines() -> None:
    (invoice,) = gathered([row(), row()])

    assert [line.number for line in sort_sale(invoice).lines] == [1, 2]


def test_the_case_of_a_sku_matters() -> None:
    (invoice,) = gathered([row("85123A"), row("85123a")])

    assert [line.sku for line in sort_sale(invoice).lines] == ["85123A", "85123a"]


@pytest.mark.parametrize(
    ("sku", "reason"),
    [
        ("POST", "postage"),
        ("DOT", "postage"),
        ("C2", "carriage"),
        ("M", "manual entry"),
        ("m", "manual entry"),
        ("D", "discount"),
        ("S", "samples"),
        ("BANK CHARGES", "bank charges"),
        ("AMAZONFEE", "marketplace fee"),
        ("CRUK", "charity"),
        ("gift_0001_20", "gift voucher"),
        ("B", "bad debt"),
        ("ADJUST2", "adjustment"),
        ("PADS", "free pads"),
        ("TEST001", "test"),
    ],
)
def test_what_is_no_merchandise_is_told_apart(sku: str, reason: str) -> None:
    assert refused(row(sku)) == {reason: 1}


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (row(quantity=-3, price="0"), "write-off"),
        (row(quantity=0), "no units"),
        (row(price="0.0"), "no price"),
        (row(price="-11062.06"), "no price"),
        (row(price="0.001"), "fraction of a penny"),
        (row(invoice="A563186", sku="B"), "bad debt"),
        (row()._replace(country="Atlantis"), "unknown country"),
        (row()._replace(fault="unreadable"), "unreadable"),
    ],
)
def test_what_nobody_bought_is_told_apart(one: Row, reason: str) -> None:
    assert refused(one) == {reason: 1}


@pytest.mark.parametrize("text", ["six", "", "NaN", "inf", "1e999999999"])
def test_a_figure_that_cannot_be_read_refuses_its_row_only(tmp_path: Path, text: str) -> None:
    spoilt = SOLD.replace(",2.55,", f",{text},")
    (invoice,) = invoices(written(tmp_path, spoilt + SOLD))

    assert len(sort_sale(invoice).lines) == 1


def test_a_price_is_as_exact_as_it_is_written() -> None:
    (invoice,) = gathered([row(price="0.29")])

    assert sort_sale(invoice).lines[0].pence == 29


def test_a_cancellation_has_the_units_that_it_takes_back() -> None:
    (invoice,) = gathered([row(quantity=-6, invoice="C1"), row(quantity=2, invoice="C1")])

    lines, why = sort_cancellation(invoice)

    assert [line.quantity for line in lines] == [6]
    assert dict(why) == {"cancellation of nothing": 1}
