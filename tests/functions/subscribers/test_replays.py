"""A period is told once more: all of it, each event once, whoever dies in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.subscribers.api import start_replay
from functions.subscribers.replaying import first_segment
from functions.subscribers.send_deliveries import LEASE
from oms.contracts.api.subscribers import StartReplay
from oms.contracts.invalid import InvalidRequest
from oms.domain.errors import Refused
from oms.domain.subscribers import DeliveryState, ReplayState
from tests.functions.subscribers.house import START, FakeArchive, House, an_event
from tests.functions.world import Crash

pytestmark = pytest.mark.cloud

DAY = timedelta(days=1)


@pytest.fixture
def house(dynamodb: Any) -> House:
    return with_archive(House.new(dynamodb))


def with_archive(house: House) -> House:
    """Ten events, one an hour, two in a segment that was written a minute later; then a day."""
    events = [an_event(n, at=START + timedelta(hours=n)) for n in range(10)]
    for first in range(0, 10, 2):
        pair = events[first : first + 2]
        house.archive.add(START + timedelta(hours=first + 1, minutes=1), *pair)
    house.clock[0] = START + DAY
    return house


def replay(house: House, first: int, last: int, *types: str, name: str = "rpl_1") -> None:
    """From the first hour on, and before the last."""
    start, end = (START + timedelta(hours=hour) for hour in (first, last))
    said = {"from": start.isoformat(), "to": end.isoformat(), "types": list(types)}
    start_replay(house.api, "sub_a", name, StartReplay.read(said), "client:shop")


def orders(house: House) -> list[str]:
    return sorted(each["order_id"] for each in house.receiver.said)


def run(house: House, times: int = 3) -> None:
    for _ in range(times):
        house.minute()


def test_the_events_of_the_period_are_told_and_no_others(house: House) -> None:
    house.subscribe()

    replay(house, 3, 6)
    run(house)

    assert orders(house) == ["ord_3", "ord_4", "ord_5"]
    assert {each["replay"] for each in house.receiver.said} == {"rpl_1"}
    found, _ = house.subscribers.replay("sub_a", "rpl_1")
    assert (found.state, found.queued) == (ReplayState.DONE, 3)


def test_what_was_told_before_is_told_again_under_its_id(house: House) -> None:
    house.subscribe()
    told = an_event(4, at=house.now())
    house.happen(told)
    house.minute()
    house.archive.add(house.now(), told)
    house.wait(minutes=1)

    replay_now(house)
    house.wait(hours=1)
    run(house)

    first, second = house.receiver.heard
    assert first == second
    assert "replay" not in house.receiver.said[0]
    assert house.receiver.said[1]["replay"] == "rpl_1"
    assert len(house.log()) == 1


def replay_now(house: House) -> None:
    end = house.now().isoformat()
    said = {"from": (START + timedelta(hours=20)).isoformat(), "to": end}
    start_replay(house.api, "sub_a", "rpl_1", StartReplay.read(said), "client:shop")


def test_only_what_it_wants_and_was_asked_for_is_told(house: House) -> None:
    house.subscribe("OrderPlaced", "OrderCancelled", channels=["web"])
    house.channel |= {f"ord_{n}": "web" if n % 2 else "pos" for n in range(12)}
    house.archive.add(START + timedelta(hours=11), an_event(11, "OrderCancelled", START))

    replay(house, 0, 12, "OrderPlaced")
    run(house)

    assert orders(house) == ["ord_1", "ord_3", "ord_5", "ord_7", "ord_9"]


def test_it_goes_on_where_a_worker_stopped(house: House) -> None:
    house.subscribe()
    replay(house, 0, 10)
    house.late = [False, True]

    house.send(replay="rpl_1")

    halfway, _ = house.subscribers.replay("sub_a", "rpl_1")
    assert (halfway.segment, halfway.queued, halfway.state) == (1, 2, ReplayState.RUNNING)
    run(house)
    assert len(house.receiver.heard) == 10


def test_what_is_not_archived_yet_is_waited_for(house: House) -> None:
    house.subscribe()
    house.clock[0] = START + timedelta(hours=10)
    replay(house, 9, 10)
    late = an_event(90, at=START + timedelta(hours=9, minutes=59))
    run(house)
    house.archive.add(house.now(), late)
    house.wait(minutes=1)
    run(house)
    assert orders(house) == ["ord_9", "ord_90"]
    assert house.subscribers.running("sub_a")

    house.wait(minutes=20)
    run(house)
    assert not house.subscribers.running("sub_a")


def test_one_replay_runs_at_a_time_and_the_same_is_started_once(house: House) -> None:
    house.subscribe()
    replay(house, 0, 5)
    replay(house, 0, 5)

    with pytest.raises(Refused):
        replay(house, 0, 5, name="rpl_2")


def test_what_is_to_come_cannot_be_replayed(house: House) -> None:
    house.subscribe()

    with pytest.raises(InvalidRequest):
        replay(house, 0, 25)


@pytest.mark.parametrize("after", [False, True])
def test_wherever_a_worker_dies_each_event_is_told_and_has_one_row(
    dynamodb: Any, after: bool
) -> None:
    for dies_at in range(1, 100):
        house = with_archive(House.new(dynamodb))
        house.subscribe()
        replay(house, 2, 6)
        try:
            house.mortal(dies_at, after=after).send(replay="rpl_1")
        except Crash:
            house.wait(seconds=LEASE.total_seconds())
            run(house)
            assert set(orders(house)) == {"ord_2", "ord_3", "ord_4", "ord_5"}
            assert len(house.receiver.heard) == 4
            assert {each.state for each in house.log()} == {DeliveryState.DELIVERED}
        else:
            assert dies_at > 8
            return
    raise AssertionError("it never ends")


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(hours=st.lists(st.integers(0, 100), max_size=30).map(sorted), start=st.integers(-1, 101))
def test_the_first_segment_is_found_by_halves(hours: list[int], start: int) -> None:
    archive = FakeArchive()
    for hour in hours:
        archive.add(START + timedelta(hours=hour), {})

    found = first_segment(archive, START + timedelta(hours=start))

    assert found == sum(hour < start for hour in hours)
