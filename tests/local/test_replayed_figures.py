"""A shop's history, told as a replay tells it, comes to the figures that its file has.

Beside the reports, the figures are computed straight from the file by a few lines of SQL.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.reports.api import Library, answered
from infra.local.replay.cancellations import Ledger, by_invoice
from infra.local.replay.countries import COUNTRIES
from infra.local.replay.history import Invoice, invoices
from infra.local.replay.merchandise import BEGINNINGS, CODES, sort_cancellation, sort_sale
from infra.local.replay.orders import order_of
from infra.local.replay.selection import survey
from oms.adapters.placing import command_of, guest_id
from oms.contracts.api import ChannelOrder, ReportQuery
from oms.domain import commands as c
from oms.domain.decide import decide, facts, place
from oms.domain.fulfillment import Quantity
from oms.domain.ids import order_id_of
from oms.domain.order import Fact, Order
from oms.domain.reporting.catalogue import SALES
from tests.projecting import NEVER, Reports, told

HISTORY = Path(__file__).parents[3] / "shared" / "data" / "A_orders" / "uci_online_retail"
FILE = HISTORY / "online_retail_to_2011-09.csv.gz"
SEGMENT = 2_000
NOW = datetime(2011, 12, 10, tzinfo=UTC)

UNTIL = "2011-02-01"  # of ten months: the whole file takes minutes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FILE.exists(), reason="the order history of the UCI archive is not beside the project"
    ),
]

Row = tuple[str, str, int, int, int, int, int]
FIGURES = ("orders", "units", "gross", "cancelled_units", "customers")


class Shop:
    """Places and cancels what the invoices say, on the days that they say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.orders: dict[str, Order] = {}
        self.histories: dict[str, list[Fact]] = {}
        self.ledger = Ledger(frozenset(survey(invoices(path), lambda _: False).cancelled))

    def events(self) -> Iterator[dict[str, Any]]:
        days = days_of(self.path)
        for invoice in invoices(self.path):
            at = days[invoice.number]
            yield from (
                self.cancel(invoice, at) if invoice.is_cancellation else self.sell(invoice, at)
            )

    def sell(self, invoice: Invoice, at: datetime) -> Iterator[dict[str, Any]]:
        if not (lines := sort_sale(invoice).lines):
            return
        said = ChannelOrder.read(order_of(invoice, lines))
        order_id = order_id_of(said.channel, said.external_id)
        buyer = f"cus_{invoice.customer}" if invoice.customer else guest_id(order_id)
        command = command_of(said, buyer, at, {})
        recorded, order = facts(order_id, None, place(command), at, "client:shop")
        self.orders[invoice.number] = order
        self.ledger.record(invoice, lines)
        yield from self.keep(order_id, recorded)

    def cancel(self, invoice: Invoice, at: datetime) -> Iterator[dict[str, Any]]:
        lines = sort_cancellation(invoice).lines
        taken = [each for line in lines for each in self.ledger.take(invoice.customer, line)]
        for number, each in by_invoice(taken).items():
            units = tuple(Quantity(f"line_{x.line_number}", x.quantity) for x in each)
            before = self.orders[number]
            decided = decide(c.CancelOrder("cancelled", units), before)
            recorded, order = facts(before.order_id, before, decided, at, "client:shop")
            self.orders[number] = order
            yield from self.keep(before.order_id, recorded)

    def keep(self, order_id: str, recorded: Any) -> Iterator[dict[str, Any]]:
        self.histories.setdefault(order_id, []).extend(recorded)
        yield from (told(order_id, fact) for fact in recorded)


def days_of(path: Path) -> dict[str, datetime]:
    """Of the first row of each invoice."""
    found: dict[str, datetime] = {}
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as text:
        for row in csv.DictReader(text):
            if row["InvoiceNo"] not in found:
                at = datetime.fromisoformat(row["InvoiceDate"])
                found[row["InvoiceNo"]] = at.replace(tzinfo=UTC)
    return found


def counted(path: Path) -> Reports:
    """Told as a bus tells: here and there twice, and in no order within a segment."""
    shop, reports, dice = Shop(path), Reports(), random.Random(7)
    reports.histories.known = shop.histories
    waiting: list[dict[str, Any]] = []
    for event in shop.events():
        waiting += [event] * (2 if dice.random() < 0.05 else 1)
        if len(waiting) >= SEGMENT:
            dice.shuffle(waiting)
            reports.log.append(waiting[: SEGMENT // 2])
            waiting = waiting[SEGMENT // 2 :]
    reports.log.append(waiting)
    reports.projector.run(NEVER, NOW)
    return reports


def reported(reports: Reports) -> list[Row]:
    query = {"from": "2010-12-01", "to": "2011-12-31", "group_by": "month,country"}
    library = Library(reports.table, reports.generations.of("sales").shown, lambda *_: {})
    answer = answered(SALES, ReportQuery.read(query), {}, library, NOW)
    return [
        (row["month"], row["country"], *(row[name] for name in FIGURES)) for row in answer.items()
    ]


SQL = """
with said as (
    select row_number() over () as place, InvoiceNo as invoice, StockCode as sku,
        cast(Quantity as bigint) as units, cast(UnitPrice as decimal(12, 4)) * 100 as pence,
        coalesce(CustomerID, '') as customer, code as country,
        cast(InvoiceDate as timestamp) as since
    from read_csv($file, all_varchar = true) join countries on name = Country
    where StockCode not in (select code from no_goods)
        and not exists (select 1 from beginnings b where starts_with(StockCode, b.beginning))
), dated as (
    select *, strftime(min(since) over (partition by invoice), '%Y-%m') as month,
        min(place) over (partition by invoice) as turn
    from said
), sold as (
    select * from dated
    where invoice not similar to '[CcAa].*' and units > 0 and pence > 0 and pence = floor(pence)
), moved as (
    select month, country, customer, sku, turn, place, units from sold where customer <> ''
    union all
    select month, country, customer, sku, turn, place, units from dated
    where invoice similar to '[Cc].*' and units < 0 and customer <> ''
), balanced as (
    select *, sum(units) over mine as balance from moved
    window mine as (partition by customer, sku order by turn, place)
), short as (  -- so many units were cancelled so far that nobody had bought
    select *, greatest(0, -min(balance) over mine) as missing from balanced
    window mine as (partition by customer, sku order by turn, place)
), taken as (
    select month, country, units,
        -units - (missing - coalesce(lag(missing) over mine, 0)) as cancelled from short
    window mine as (partition by customer, sku order by turn, place)
), back as (
    select month, country, cast(sum(cancelled) as bigint) as cancelled_units
    from taken where units < 0 group by all
), placed as (
    select month, country, count(distinct invoice) as orders, cast(sum(units) as bigint) as units,
        cast(sum(units * pence) as bigint) as gross,
        count(distinct if(customer = '', 'guest ' || invoice, customer)) as customers
    from sold group by all
)
select month, country, coalesce(orders, 0), coalesce(units, 0), coalesce(gross, 0),
    coalesce(cancelled_units, 0), coalesce(customers, 0)
from placed full join back using (month, country)
where orders > 0 or cancelled_units > 0
order by month, country
"""


def in_the_file(path: Path) -> list[Row]:
    import duckdb

    base = duckdb.connect()
    base.execute("create table countries (name text, code text)")
    base.executemany("insert into countries values (?, ?)", list(COUNTRIES.items()))
    base.execute("create table no_goods (code text)")
    base.executemany("insert into no_goods values (?)", [(code,) for code in CODES])
    base.execute("create table beginnings (beginning text)")
    base.executemany("insert into beginnings values (?)", [(start,) for start in BEGINNINGS])
    return base.execute(SQL, {"file": str(path)}).fetchall()


def part(path: Path, folder: Path) -> Path:
    """The rows before that day, as they are."""
    found = folder / "part.csv.gz"
    with gzip.open(path, "rt", newline="") as whole, gzip.open(found, "wt", newline="") as rows:
        reader, writer = csv.reader(whole), csv.writer(rows)
        header = next(reader)
        writer.writerow(header)
        day = header.index("InvoiceDate")
        writer.writerows(row for row in reader if row[day] < UNTIL)
    return found


def test_revenue_units_returns_and_customers_by_month_and_country_are_those_of_the_file(
    tmp_path: Path,
) -> None:
    path = part(FILE, tmp_path)

    ours, theirs = reported(counted(path)), in_the_file(path)

    assert len(theirs) > 40
    assert sum(row[5] for row in theirs) > 1_000  # units were cancelled
    assert ours == theirs
