"""Whatever the bus told, however often, is in the lake; a question counts it once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.lake import write_lake
from functions.lake.write_lake import few, fill
from infra.cli.lake import answered
from infra.questions import Question, questions
from oms.adapters.event_log import Segment
from oms.adapters.lake import COLUMNS, EVENTS, Lake, duckdb_in_memory, parquet, row_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def told(number: int, kind: str = "OrderPlaced", **data: Any) -> dict[str, Any]:
    """The order's next event, some hours after the one before: days change in between."""
    return {
        "id": f"ord_1#{number:06d}",
        "type": kind,
        "version": 1,
        "at": (NOON + timedelta(hours=5 * number)).isoformat(),
        "order_id": "ord_1",
        "seq": number,
        "actor": "client:shop",
        "data": data,
    }


class Archive:
    """Segments in memory, and how far their reader has come."""

    def __init__(self, *segments: list[dict[str, Any]]) -> None:
        self.segments = segments
        self.done = 0
        self.moves_until_crash = 10**6

    def after(self, number: int, limit: int) -> list[Segment]:
        found = enumerate(self.segments[number : number + limit], number + 1)
        return [Segment(n, f"{n}", len(each), NOON) for n, each in found]

    def read(self, segment: Segment) -> list[dict[str, Any]]:
        return self.segments[segment.number - 1]

    def through(self, name: str) -> int:
        return self.done

    def move(self, name: str, number: int) -> bool:
        self.moves_until_crash -= 1
        if self.moves_until_crash < 0:
            raise ConnectionError
        if self.done != number - 1:
            return False
        self.done = number
        return True


class Folder:
    def __init__(self, place: Path) -> None:
        self.place = place

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        path = self.place / name.removeprefix(f"{EVENTS}/")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(pieces))

    def ask(self, question: Question) -> list[dict[str, Any]]:
        names, rows = answered(question, self.place)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def ids(self) -> Counter[str]:
        found = self.ask(Question("", "", "SELECT id FROM events"))
        return Counter(each["id"] for each in found)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def never() -> bool:
    return False


def filled(folder: Folder, archive: Archive, is_late: Callable[[], bool] = never) -> int:
    return fill(Lake(folder, duckdb_in_memory), archive, archive, is_late)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 12), max_size=5), min_size=1, max_size=5),
    st.integers(0, 6),
)
def test_each_event_is_counted_once_however_often_it_came_and_wherever_it_stopped(
    segments: list[list[int]], moves: int
) -> None:
    with TemporaryDirectory() as place:
        folder = Folder(Path(place))
        archive = Archive(*([told(n) for n in each] for each in segments))
        archive.moves_until_crash = moves
        try:
            filled(folder, archive)
        except ConnectionError:
            archive.moves_until_crash = 10**6
            filled(folder, archive)

        expected = {f"ord_1#{n:06d}" for each in segments for n in each}
        if expected:
            assert folder.ids() == Counter(expected)
        assert archive.done == len(segments)


def test_another_worker_that_was_faster_costs_no_event(folder: Folder) -> None:
    archive = Archive([told(1)], [told(2)], [told(3)])
    slow = Archive(*archive.segments[:2])
    slow.through = lambda name: 0  # type: ignore[method-assign]
    slow.move = lambda name, number: False  # type: ignore[method-assign]

    filled(folder, archive)
    fill(Lake(folder, duckdb_in_memory), slow, slow, never)

    assert folder.ids() == Counter({f"ord_1#{n:06d}": 1 for n in (1, 2, 3)})


def test_files_lie_under_their_day_and_the_segments_that_brought_them(folder: Folder) -> None:
    filled(folder, Archive([told(1), told(4)], [told(2)]))

    names = sorted(str(path.relative_to(folder.place)) for path in folder.place.glob("*/*"))
    assert names == [
        "day=2026-03-02/000000000001-000000000002.parquet",
        "day=2026-03-03/000000000001-000000000002.parquet",
    ]


def test_what_cannot_be_read_keeps_nothing_else_out(folder: Folder) -> None:
    archive = Archive([{"id": "x"}, told(1), {**told(2), "at": "yesterday"}])

    assert filled(folder, archive) == 1
    assert archive.done == 1


def test_as_many_segments_go_into_a_file_as_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_lake, "MOST_EVENTS", 10)
    segments = [Segment(n, "", count, NOON) for n, count in enumerate((30, 4, 6, 1), 1)]

    assert [each.number for each in few(segments)] == [1]
    assert [each.number for each in few(segments[1:])] == [2, 3]


def test_the_columns_are_those_that_the_table_declares() -> None:
    with TemporaryDirectory() as place:
        file = Path(place, "rows.parquet")
        file.write_bytes(parquet([row_of(told(1, lines=[]), 7)], duckdb_in_memory))
        with duckdb_in_memory() as duck:
            described = duck.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()

    assert {name: kind for name, kind, *_ in described} == dict(COLUMNS)


def placed(number: int, country: str, total: int, day: int) -> dict[str, Any]:
    said: dict[str, Any] = {"destination": {"country": country}, "currency": "EUR"}
    envelope = told(1, customer_id=f"cus_{number % 2}", total=total, **said)
    order_id = f"ord_{number}"
    at = datetime(2026, 3, day, tzinfo=UTC).isoformat()
    return {**envelope, "id": f"{order_id}#000001", "order_id": order_id, "at": at}


def test_every_question_that_athena_has_is_answered_from_the_same_files(folder: Folder) -> None:
    orders = [placed(1, "DE", 100, 1), placed(2, "DE", 250, 3), placed(3, "FR", 70, 3)]
    shipped = {**told(2, "FulfillmentOrderShipped", location_id="lyon"), "order_id": "ord_3"}
    shipped |= {"id": "ord_3#000002", "at": "2026-03-03T06:00:00Z"}
    refund = {"credit": {"kind": "goodwill", "reason": "late", "amount": 30}}
    granted = {**told(3, "RefundGranted", **refund), "order_id": "ord_3", "id": "ord_3#000003"}
    filled(folder, Archive([*orders, shipped], [orders[0], granted]))

    answers = {each.name: folder.ask(each) for each in questions()}

    assert [
        (row["country"], row["orders"], row["customers"], row["total"])
        for row in answers["orders_by_month_and_country"]
    ] == [("DE", 2, 2, 350), ("FR", 1, 1, 70)]
    (lyon,) = answers["hours_to_ship_by_location"]
    assert (lyon["location"], lyon["shipments"], lyon["median_hours"]) == ("lyon", 1, 6.0)
    (given_back,) = answers["refunds_by_kind_and_reason"]
    assert (given_back["kind"], given_back["refunded"]) == ("goodwill", 30)
    assert sum(row["events"] for row in answers["events_by_day_and_type"]) == 5
    assert sum(row["times"] for row in answers["who_did_what"]) == 5
