"""Sales are counted from what is told: in any order, any number of times."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest

from functions.reports.project_event import project
from oms.adapters.sales_table import Market, Sale, SalesTable
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain.edits import Changes
from oms.domain.errors import Contended
from oms.domain.fulfillment import Quantity
from oms.domain.lines import Discount, Shipping, Tax
from oms.domain.order import Fact
from oms.domain.returns import RefundWhen, Resolution, ReturnLine, Terms
from tests.builders import NOW, Story, line, placement
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

DAY = NOW.date()


@pytest.fixture
def name(dynamodb: Any) -> str:
    return create_table(dynamodb, "reports", f"reports-{uuid4().hex[:12]}")


@pytest.fixture
def sales(dynamodb: Any, name: str) -> SalesTable:
    return SalesTable(dynamodb, name)


def story(external_id: str = "1", **changes: Any) -> Story:
    lines = (line(1, quantity=3, discount=250, tax=186), line(2, quantity=2))
    said = {"external_id": external_id, "shipping": Shipping("s", 500, (Tax("T", "0.2", 100),))}
    return Story(placement(*lines, discounts=(Discount("WELCOME", 100),), **{**said, **changes}))


def record(story: Story, fact: Fact) -> dict[str, Any]:
    """As the queue brings an event of the bus."""
    told = envelope(story.order_id, fact)
    body = {"source": "oms.capture", "detail-type": told["type"], "detail": told}
    return {"messageId": f"{story.order_id}/{fact.seq}", "body": json.dumps(body, default=str)}


def records(*stories: Story) -> list[dict[str, Any]]:
    return [record(story, fact) for story in stories for fact in story.facts]


def figures(sales: SalesTable, day: date = DAY) -> dict[str, int]:
    rows = list(sales.days(day, day))
    assert len(rows) <= 1
    return dict(rows[0].figures) if rows else {}


def test_a_placed_order_is_told_in_all_its_figures(sales: SalesTable) -> None:
    assert project(records(story()), sales, NOW) == []

    assert figures(sales) == {
        "orders": 1,
        "units": 5,
        "gross": 5000,
        "discounts": 350,
        "shipping": 500,
        "taxes": 286,
    }


def test_cancelled_units_count_once_by_lines_and_by_the_whole_order(sales: SalesTable) -> None:
    told = story()
    told.do(c.CancelOrder("one", (Quantity("line_1", 1),)), c.CancelOrder("all"))

    project(records(told), sales, NOW)

    assert (figures(sales)["cancelled_orders"], figures(sales)["cancelled_units"]) == (1, 5)


def test_an_edit_sells_what_it_adds_and_cancels_what_it_removes(sales: SalesTable) -> None:
    told = story(provider="external", captured=10**9)
    pot = line(3, quantity=2, unit_price=700, discount=30, tax=40)
    changes = Changes(
        added=(pot,),
        removed=(Quantity("line_1", 1),),
        shipping=Shipping("express", 900, (Tax("T", "0.2", 180),)),
    )
    told.edited("edt_1", changes).captured()

    shuffled = records(told)
    random.Random(7).shuffle(shuffled)
    while shuffled:
        failed = set(project(shuffled, sales, NOW))
        shuffled = [each for each in shuffled if each["messageId"] in failed]

    assert figures(sales) == {
        "orders": 1,
        "units": 5 + 2,
        "gross": 5000 + 1400,
        "discounts": 350 + 30,
        "shipping": 900,
        "taxes": 286 + 40 - 100 + 180,
        "cancelled_orders": 0,
        "cancelled_units": 1,
    }


def test_money_that_is_given_back_is_counted_as_it_is_granted(sales: SalesTable) -> None:
    told = Story(placement(line(1, quantity=2))).authorized().routed().shipped().captured()
    told.delivered().do(c.GrantRefund(300, "late"))
    terms = Terms(refund_when=RefundWhen.APPROVAL)
    wish = c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=terms)
    told.do(wish, c.RequestReturn(wish.lines, Resolution.REPLACEMENT, terms=Terms(keep=True)))

    assert project(records(told), sales, NOW) == []

    found = figures(sales)
    assert (found["refunds"], found["refunded"]) == (2, 1300)


def test_an_order_counts_on_its_day_and_its_cancellation_on_the_day_it_happens(
    sales: SalesTable,
) -> None:
    old = story(placed_at=datetime.fromisoformat("2011-12-09T23:30:00-01:00"))
    old.do(c.CancelOrder("late"))

    project(records(old), sales, NOW)

    assert figures(sales, date(2011, 12, 10))["orders"] == 1
    assert figures(sales)["cancelled_orders"] == 1
    assert "orders" not in figures(sales)


def test_a_cancellation_that_overtakes_its_order_is_brought_again(sales: SalesTable) -> None:
    told = story().do(c.CancelOrder("no"))
    placed, cancelled = records(told)

    assert project([cancelled], sales, NOW) == [cancelled["messageId"]]
    assert project([placed], sales, NOW) == []
    assert project([cancelled], sales, NOW) == []

    assert (figures(sales)["orders"], figures(sales)["cancelled_units"]) == (1, 5)


def test_in_one_batch_any_order_of_records_will_do(sales: SalesTable) -> None:
    told = story().do(c.CancelOrder("no"))

    assert project(records(told)[::-1], sales, NOW) == []
    assert figures(sales)["cancelled_orders"] == 1


def test_duplicates_in_and_between_batches_change_nothing(sales: SalesTable) -> None:
    stories = [story(str(number)).do(c.CancelOrder("no")) for number in range(3)]
    all_told = records(*stories)
    for seed in range(3):
        shuffled = all_told * 2
        random.Random(seed).shuffle(shuffled)
        assert project(shuffled, sales, NOW) == []

    assert figures(sales)["orders"] == 3
    assert figures(sales)["cancelled_units"] == 15


def test_channels_and_currencies_are_counted_apart(sales: SalesTable) -> None:
    stories = [story("1"), story("2", channel="till"), story("3", currency="EUR")]

    project(records(*stories), sales, NOW)

    found = [(row.channel, row.currency, row.figures["orders"]) for row in sales.days(DAY, DAY)]
    assert found == [("till", "USD", 1), ("web", "EUR", 1), ("web", "USD", 1)]


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "{}",
        '{"detail": 5}',
        '{"detail": {"type": "OrderPlaced", "id": "x", "order_id": "y", "data": {}}}',
        '{"detail": {"type": "OrderCancelled", "order_id": ["y"]}}',
    ],
)
def test_what_cannot_be_read_is_brought_again_and_keeps_nothing_else_from_being_counted(
    sales: SalesTable, body: str
) -> None:
    bad = {"messageId": "bad", "body": body}

    assert project([bad, *records(story())], sales, NOW) == ["bad"]
    assert figures(sales)["orders"] == 1


def test_events_that_are_no_sales_are_passed_over(sales: SalesTable) -> None:
    told = story().authorized()

    assert project(records(told)[1:], sales, NOW) == []
    assert figures(sales) == {}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_worker_killed_at_any_call_leaves_every_figure_right(
    sales: SalesTable, dynamodb: Any, name: str, dies_at: int, after: bool
) -> None:
    told = records(story("1").do(c.CancelOrder("no")), story("2"))
    with suppress(Crash):
        project(told, SalesTable(Mortal(dynamodb, dies_at, after), name), NOW)

    assert project(told, sales, NOW) == []
    assert (figures(sales)["orders"], figures(sales)["cancelled_units"]) == (2, 5)


class Refusing:
    """Counts nothing that has to do with one order."""

    def __init__(self, error: Exception, order_id: str) -> None:
        self.error, self.order_id = error, order_id
        self.counted: list[str] = []

    def count(self, sales: Sequence[Sale], now: datetime) -> None:
        if any(sale.order_id == self.order_id for sale in sales):
            raise self.error
        self.counted += [sale.order_id for sale in sales]

    def markets(self, order_ids: Iterable[str]) -> dict[str, Market]:
        return {}


def test_one_that_cannot_be_counted_does_not_keep_the_others_from_it() -> None:
    stories = [story(str(number)) for number in range(4)]
    refusing = Refusing(ValueError(), stories[1].order_id)

    failed = project(records(*stories), refusing, NOW)

    assert failed == [f"{stories[1].order_id}/1"]
    assert refusing.counted == [stories[n].order_id for n in (0, 2, 3)]


def test_a_busy_table_is_asked_again_later_for_all() -> None:
    stories = [story(str(number)) for number in range(4)]

    failed = project(records(*stories), Refusing(Contended(), stories[1].order_id), NOW)

    assert len(failed) == 4
