"""A replay orders each invoice once and cancels what was cancelled, however often it is begun."""

import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.local.client import Answer, Client, Json, Refusal
from infra.local.replay import journal as j
from infra.local.replay.asking import Desk
from infra.local.replay.cancellations import Ledger, by_invoice
from infra.local.replay.history import Invoice, Row
from infra.local.replay.journal import Journal
from infra.local.replay.lanes import Lanes
from infra.local.replay.merchandise import Line
from infra.local.replay.orders import order_of
from infra.local.replay.selection import Selection, largest, survey
from infra.local.replay.settling import Inspection, left_of
from infra.local.replay.stocking import stock_up

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


class House(Client):
    """The API as a replay sees it, in memory; it can lose what it knows."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", lambda: "token")
        self.orders: dict[str, Json] = {}
        self.seen: set[str] = set()
        self.stock: dict[str, int] = {}

    def get(self, path: str, **query: Any) -> Any:
        if path == "/availability":
            found = [{"sku": sku, "available": self.stock.get(sku, 0)} for sku in query["sku"]]
            return {"items": found}
        return self.known(path.removeprefix("/orders/"))

    def put(self, path: str, body: Json) -> Any:
        return body

    def post(self, path: str, body: Json | None = None, *, key: str = "") -> Any:
        assert body is not None
        if path == "/orders":
            return self.orders.setdefault(f"ord_{body['external_id']}", placed(body))
        if key not in self.seen:
            self.seen.add(key)
            self.change(path.split("/"), body)
        return {}

    def change(self, path: list[str], body: Json) -> None:
        if path[1] == "stock":
            self.stock[path[2]] = self.stock.get(path[2], 0) + body["quantity"]
            return
        lines = {line["line_id"]: line for line in self.known(path[2])["lines"]}
        for each in body["lines"]:
            lines[each["line_id"]]["quantities"]["cancelled"] += each["quantity"]

    def known(self, order_id: str) -> Json:
        if order_id not in self.orders:
            raise Refusal("GET", order_id, Answer(404, b"{}"))
        return self.orders[order_id]


def placed(body: Json) -> Json:
    lines = [
        {
            **line,
            "line_id": f"line_{number}",
            "quantities": {"open": 0, "backordered": 0, "cancelled": 0},
        }
        for number, line in enumerate(body["lines"], 1)
    ]
    return {
        "order_id": f"ord_{body['external_id']}",
        "status": "confirmed",
        "payment_status": "authorized",
        "attention": "",
        "version": 2,
        "lines": lines,
    }


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def invoice(number: str, *rows: tuple[str, int], customer: str = "17850") -> Invoice:
    return Invoice(
        number,
        [
            Row(number, sku, quantity, Decimal("2.55"), customer, "United Kingdom")
            for sku, quantity in rows
        ],
    )


def replay(house: House, journal: Journal, *history: Invoice) -> Desk:
    seen = survey(history, journal.is_done)
    desk = Desk(house, journal, Ledger(frozenset(seen.cancelled)))
    for each in history:
        if job := desk.job(each):
            job()
    return desk


def cancelled(house: House, number: str) -> list[int]:
    return [line["quantities"]["cancelled"] for line in house.orders[f"ord_{number}"]["lines"]]


def test_a_cancellation_takes_the_newest_units_first(journal: Journal) -> None:
    house = House()

    replay(
        house,
        journal,
        invoice("1", ("MUG", 5)),
        invoice("2", ("MUG", 3)),
        invoice("C3", ("MUG", -4)),
    )

    assert (cancelled(house, "1"), cancelled(house, "2")) == ([1], [3])


def test_what_exceeds_the_purchases_is_refused_and_the_rest_is_cancelled(journal: Journal) -> None:
    house = House()

    desk = replay(house, journal, invoice("1", ("MUG", 5)), invoice("C2", ("MUG", -7)))

    assert cancelled(house, "1") == [5]
    assert desk.refused == {"cancellation of more than was bought": 1}


def test_another_customers_purchase_is_not_cancelled(journal: Journal) -> None:
    house = House()

    desk = replay(
        house,
        journal,
        invoice("1", ("MUG", 5)),
        invoice("C2", ("MUG", -5), customer="12346"),
        invoice("C3", ("MUG", -5), customer=""),
    )

    assert cancelled(house, "1") == [0]
    assert desk.refused.total() == 2


def test_units_are_cancelled_once_though_two_cancellations_ask(journal: Journal) -> None:
    house = House()
    history = (invoice("1", ("MUG", 5)), invoice("C2", ("MUG", -3)), invoice("C3", ("MUG", -3)))

    replay(house, journal, *history)

    assert cancelled(house, "1") == [5]


def test_a_second_replay_asks_for_nothing(journal: Journal) -> None:
    house = House()
    history = (invoice("1", ("MUG", 5)), invoice("C2", ("MUG", -3)))
    replay(house, journal, *history)
    house.orders["ord_1"]["lines"][0]["quantities"]["cancelled"] = 0

    replay(house, journal, *history)

    assert cancelled(house, "1") == [0]


def test_a_replay_that_forgot_everything_changes_nothing(journal: Journal, tmp_path: Path) -> None:
    house = House()
    history = (invoice("1", ("MUG", 5)), invoice("C2", ("MUG", -3)))
    replay(house, journal, *history)
    other = Journal(tmp_path / "other.sqlite")

    replay(house, other, *history)

    assert cancelled(house, "1") == [3]
    assert other.books()[:2] == journal.books()[:2]
    other.close()


def test_what_the_cloud_has_lost_is_asked_for_again(journal: Journal) -> None:
    house = House()
    history = (invoice("1", ("MUG", 5)), invoice("C2", ("MUG", -3)))
    replay(house, journal, *history)
    house.orders.clear()
    house.seen.clear()

    Inspection(house, journal, 1).look_at_all()
    replay(house, journal, *history)

    assert cancelled(house, "1") == [3]


def test_a_cancellation_that_the_cloud_has_lost_is_asked_for_again(journal: Journal) -> None:
    house = House()
    history = (invoice("1", ("MUG", 5)), invoice("C2", ("MUG", -3)))
    replay(house, journal, *history)
    house.orders["ord_1"]["lines"][0]["quantities"]["cancelled"] = 0
    house.seen.clear()

    Inspection(house, journal, 1).look_at_all()
    replay(house, journal, *history)

    assert cancelled(house, "1") == [3]


def test_the_sums_of_the_journal_are_those_of_the_orders(journal: Journal) -> None:
    house = House()
    replay(house, journal, invoice("1", ("MUG", 5), ("JAR", 2)), invoice("C2", ("MUG", -3)))

    Inspection(house, journal, 2).look_at_all()

    assert journal.books() == (4, 4 * 255, 4, 4 * 255)
    assert journal.states() == {"routed": 1}


def test_an_order_that_lacks_stock_is_given_it_and_looked_at_again(journal: Journal) -> None:
    house = House()
    replay(house, journal, invoice("1", ("MUG", 5)))
    house.orders["ord_1"]["lines"][0]["quantities"]["backordered"] = 5

    Inspection(house, journal, 1).look_at_all()

    assert house.stock == {"MUG": 5}
    assert journal.states() == {"": 1}


def test_an_order_whose_stock_another_has_taken_is_given_it_once_more(journal: Journal) -> None:
    house = House()
    replay(house, journal, invoice("1", ("MUG", 5)))
    house.orders["ord_1"]["lines"][0]["quantities"].update(open=4, backordered=1)
    Inspection(house, journal, 1).look_at_all()
    assert house.stock == {"MUG": 5}

    house.stock["MUG"] = 2
    for _ in range(2):
        Inspection(house, journal, 1).look_at_all()

    assert house.stock == {"MUG": 5}


def test_stock_is_received_for_what_is_missing_and_once(journal: Journal) -> None:
    house = House()
    house.stock["MUG"] = 3
    demand = {"MUG": 5, "JAR": 2}

    for _ in range(2):
        with Lanes(2) as lanes:
            list(stock_up(house, demand, lanes))

    assert house.stock == {"MUG": 5, "JAR": 2}


def test_a_guest_orders_without_an_address_of_the_mail() -> None:
    body = order_of(invoice("1", ("MUG", 5), customer=""), [Line(1, "MUG", 5, 255)])

    assert body["customer"] is None
    assert body["total"] == 1275


def test_a_real_purchase_of_one_sku_on_two_lines_is_cancelled_line_by_line() -> None:
    ledger = Ledger(frozenset({("17850", "MUG")}))
    ledger.record(invoice("1", ("MUG", 1)), [Line(1, "MUG", 2, 255), Line(2, "MUG", 2, 255)])

    taken = [
        *ledger.take("17850", Line(1, "MUG", 3, 255)),
        *ledger.take("17850", Line(2, "MUG", 1, 255)),
    ]

    assert [(each.line_number, each.quantity) for each in by_invoice(taken)["1"]] == [
        (2, 2),
        (1, 2),
    ]


def test_the_ledger_remembers_only_what_is_cancelled_one_day() -> None:
    ledger = Ledger(frozenset({("17850", "MUG")}))

    ledger.record(invoice("1", ("MUG", 1)), [Line(1, "JAR", 2, 255)])

    assert not ledger._sold


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.csv"
    sold = [("1", 1), ("2", 2), ("3", 90), ("4", 4), ("C5", -90)]
    lines = [f"{n},MUG,,{q},2010-12-01 08:26:00,1.0,17850,EIRE" for n, q in sold]
    path.write_text(HEADER + "\n".join(lines))
    return path


def numbers(selection: Selection) -> list[str]:
    return [each.number for each in selection]


def test_a_limit_is_the_first_invoices_in_time(history: Path) -> None:
    assert numbers(Selection(history, 2)) == ["1", "2"]


def test_the_largest_have_their_place_among_the_first(history: Path) -> None:
    singled_out = largest(history, 2)

    assert numbers(Selection(history, 3, singled_out=singled_out))[-2:] != ["2", "3"]
    assert {"3", "C5"} <= set(numbers(Selection(history, 3, singled_out=singled_out)))


def test_only_some_are_taken_in_time_order(history: Path) -> None:
    assert numbers(Selection(history, only=frozenset({"C5", "3"}))) == ["3", "C5"]


def test_jobs_of_one_customer_keep_their_order() -> None:
    done: list[int] = []

    with Lanes(4) as lanes:
        for number in range(50):
            lanes.put("17850", lambda number=number: done.append(number))  # type: ignore[misc]

    assert done == list(range(50))


def test_a_job_that_fails_ends_the_work_and_says_so() -> None:
    def fail() -> None:
        raise ValueError("no")

    def work() -> None:
        with Lanes(2) as lanes:
            lanes.put("a", fail)

    with pytest.raises(ValueError, match="no"):
        work()


def test_an_interrupt_ends_what_has_begun_and_begins_nothing_more() -> None:
    begun = threading.Event()
    done: list[str] = []

    def slow() -> None:
        begun.set()
        time.sleep(0.2)
        done.append("slow")

    def work() -> None:
        with Lanes(1) as lanes:
            lanes.put("a", slow)
            lanes.put("a", lambda: done.append("more"))
            begun.wait(5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["slow"]


def test_left_units_and_money_are_those_not_cancelled() -> None:
    order = placed({"external_id": "1", "lines": [{"sku": "MUG", "quantity": 5, "unit_price": 2}]})
    order["lines"][0]["quantities"]["cancelled"] = 3

    assert left_of(order) == (2, 4)


def test_an_order_that_the_api_refused_is_remembered_with_its_reason(journal: Journal) -> None:
    class Strict(House):
        def post(self, path: str, body: Json | None = None, *, key: str = "") -> Any:
            raise Refusal("POST", path, Answer(422, b'{"title": "Invalid request"}'))

    replay(Strict(), journal, invoice("1", ("MUG", 5)))

    (outcome,) = journal.outcomes()
    assert outcome.startswith(j.REFUSED)
    assert "Invalid request" in outcome


def test_an_order_for_a_sku_that_the_cloud_has_lost_is_asked_for_again(journal: Journal) -> None:
    class Forgetful(House):
        def post(self, path: str, body: Json | None = None, *, key: str = "") -> Any:
            problem = b'{"errors": [{"field": "lines[0].sku", "reason": "is no SKU"}]}'
            raise Refusal("POST", path, Answer(422, problem))

    replay(Forgetful(), journal, invoice("1", ("MUG", 5)))

    assert not journal.is_done("1")


def test_what_was_refused_is_asked_for_again_by_the_next_replay(journal: Journal) -> None:
    journal.done("1", f"{j.REFUSED}: 422")
    journal.done("2", j.PLACED, "ord_2")

    journal.retry_refused()

    assert (journal.is_done("1"), journal.is_done("2")) == (False, True)
