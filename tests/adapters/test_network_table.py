from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import network_table
from oms.adapters.dynamodb import DynamoDB, flag, n, query, s, text, unpack
from oms.adapters.network_rows import location_key
from oms.adapters.network_table import CardTooLarge, NetworkTable, UnknownCard
from oms.adapters.stock_table import StockTable
from oms.contracts import codec
from oms.domain.errors import Contended
from oms.domain.events import LocationChanged
from oms.domain.inventory import UnknownLocation
from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import Calendar, CutOff, Opening, Outage
from oms.domain.network.rates import NO_TABLES, Card, Charge, Transit, Zone
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR", "", "69001", 500, 20)
PARIS = Location(
    "PARIS",
    "Paris",
    LocationKind.STORE,
    "FR",
    latitude=48.85,
    longitude=2.35,
    calendar=Calendar(
        "Europe/Paris",
        (Opening(0, 540, 1_020),),
        holidays=(date(2026, 12, 25),),
        cut_offs=(CutOff("standard", 840),),
        handling_minutes=30,
    ),
    daily_capacity=50,
    methods=("standard",),
    handles=("hazmat",),
    pickup=True,
    outages=(Outage("out_1", AT, AT + timedelta(days=1), "flood"),),
)
CARD = Card(
    "ups",
    zones=(Zone("far", "US", min_km=100),),
    charges=(Charge("standard", "far", "USD", 500),),
    transits=(Transit("standard", "far", 1, 2, (0, 1)),),
)


@pytest.fixture
def name(dynamodb: DynamoDB) -> str:
    return create_table(dynamodb, "stock", f"stock-{uuid4()}")


@pytest.fixture
def table(dynamodb: DynamoDB, name: str) -> NetworkTable:
    return NetworkTable(dynamodb, name)


@pytest.fixture
def told(dynamodb: DynamoDB, name: str) -> Callable[[str], list[LocationChanged]]:
    """What the outbox has of a location, oldest first."""

    def events(location_id: str) -> list[LocationChanged]:
        rows = query(
            dynamodb,
            TableName=name,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            ExpressionAttributeValues={":pk": s(f"LOCATION#{location_id}"), ":event": s("EVENT#")},
        )
        return [codec.decode(unpack(row["body"]), LocationChanged) for row in rows]

    return events


def change(table: NetworkTable, said: Location, at: datetime = AT) -> Location:
    return table.change_location(said.location_id, lambda _: said, at=at, actor="client:wms")


def test_a_location_is_read_as_it_was_written(table: NetworkTable) -> None:
    change(table, PARIS)
    table.put_location(LYON)

    assert table.locations() == (LYON, PARIS)
    assert table.location("PARIS") == PARIS


def test_a_location_that_is_none_is_unknown(table: NetworkTable) -> None:
    with pytest.raises(UnknownLocation):
        table.location("ATLANTIS")


def test_a_row_from_before_there_were_calendars_is_read_and_changed(
    dynamodb: DynamoDB, name: str, table: NetworkTable
) -> None:
    words = {"name": "Lyon", "kind": "warehouse", "country": "FR", "region": ""}
    old = location_key("LYON") | {word: s(said) for word, said in words.items()}
    old |= {"postal_code": s("69001"), "fixed_cost": n(500), "unit_cost": n(20)}
    dynamodb.put_item(TableName=name, Item=old | {"active": flag(True)})

    assert table.locations() == (LYON,)
    change(table, replace(LYON, pickup=True))
    assert table.location("LYON") == replace(LYON, pickup=True)


def test_a_change_is_told_with_the_row_that_has_it(
    dynamodb: DynamoDB,
    name: str,
    table: NetworkTable,
    told: Callable[[str], list[LocationChanged]],
) -> None:
    change(table, LYON)
    change(table, replace(LYON, active=False, daily_capacity=5))
    change(table, LYON, AT + timedelta(hours=1))

    assert [each.change for each in told("LYON")] == ["capacity", "closed", "capacity", "reopened"]
    row = dynamodb.scan(TableName=name, FilterExpression="attribute_exists(publish)")["Items"][0]
    assert row["publish"] == flag(True)
    assert text(row, "actor") == "client:wms"


def test_what_changes_nothing_is_told_once(
    table: NetworkTable, told: Callable[[str], list[LocationChanged]]
) -> None:
    closed = replace(LYON, active=False)
    change(table, LYON)

    for minute in range(3):
        change(table, closed, AT + timedelta(minutes=minute))

    assert told("LYON") == [LocationChanged("LYON", "closed")]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2])
def test_who_dies_on_the_way_and_asks_again_closes_a_location_once(
    dynamodb: DynamoDB,
    name: str,
    table: NetworkTable,
    told: Callable[[str], list[LocationChanged]],
    dies_at: int,
    after: bool,
) -> None:
    change(table, LYON)
    closed = replace(LYON, active=False)

    with pytest.raises(Crash):
        change(NetworkTable(Mortal(dynamodb, dies_at, after), name), closed)
    change(table, closed, AT + timedelta(minutes=1))

    assert table.location("LYON") == closed
    assert told("LYON") == [LocationChanged("LYON", "closed")]


def test_of_two_changes_at_once_none_is_lost(table: NetworkTable) -> None:
    change(table, LYON)
    rounds = []

    def overtaken(old: Location | None) -> Location:
        assert old is not None
        rounds.append(old)
        if len(rounds) == 1:
            change(table, replace(LYON, unit_cost=99))
        return replace(old, pickup=True)

    found = table.change_location("LYON", overtaken, at=AT, actor="test")

    assert found == replace(LYON, unit_cost=99, pickup=True)
    assert table.location("LYON") == found


def test_two_who_open_the_same_location_do_not_lose_each_other(table: NetworkTable) -> None:
    def second(old: Location | None) -> Location:
        if old is None:
            change(table, LYON)
            return replace(LYON, name="Lyon, too")
        return replace(old, pickup=True)

    assert table.change_location("LYON", second, at=AT, actor="test") == replace(LYON, pickup=True)


def test_who_is_always_overtaken_gives_up(
    table: NetworkTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_table, "ROUNDS", 2)
    change(table, LYON)

    def overtaken(old: Location | None) -> Location:
        assert old is not None
        change(table, replace(LYON, unit_cost=old.unit_cost + 1))
        return replace(old, pickup=True)

    with pytest.raises(Contended):
        table.change_location("LYON", overtaken, at=AT, actor="test")


def test_a_receipt_needs_a_location_of_the_network(
    dynamodb: DynamoDB, name: str, table: NetworkTable
) -> None:
    stock = StockTable(dynamodb, name)
    change(table, LYON)

    stock.receive("MUG", "LYON", 1, at=AT, actor="test")
    with pytest.raises(UnknownLocation):
        stock.receive("MUG", "PARIS", 1, at=AT, actor="test")

    assert stock.locations() == (LYON,)


def test_without_cards_the_tables_are_empty(table: NetworkTable) -> None:
    assert table.tables().cards == NO_TABLES.cards
    with pytest.raises(UnknownCard):
        table.card("ups")


def test_every_change_of_a_card_is_a_version_that_can_be_seen_again(table: NetworkTable) -> None:
    dearer = replace(CARD, charges=(Charge("standard", "far", "USD", 600),))

    first = table.change_card("ups", lambda _: CARD)
    again = table.change_card("ups", lambda _: CARD)
    second = table.change_card("ups", lambda _: dearer)

    assert (first, again) == (replace(CARD, version=1),) * 2
    assert table.card("ups") == second == replace(dearer, version=2)
    assert table.card("ups", 1) == first
    assert table.tables().version == "ups:2"
    with pytest.raises(UnknownCard):
        table.card("ups", 3)


def test_of_two_changes_of_a_card_at_once_none_is_lost(table: NetworkTable) -> None:
    table.change_card("ups", lambda _: CARD)

    def overtaken(old: Card | None) -> Card:
        assert old is not None
        if old.version == 1:
            table.change_card("ups", lambda _: replace(CARD, cm3_per_kg=6_000))
        return replace(old, transits=())

    found = table.change_card("ups", overtaken)

    assert found == replace(CARD, cm3_per_kg=6_000, transits=(), version=3)


def test_a_card_that_fits_into_no_row_is_refused(table: NetworkTable) -> None:
    noise = random.Random(7)

    def zone() -> Zone:
        return Zone(f"{noise.getrandbits(200):x}", "US", f"{noise.randrange(1_000):03d}")

    card: Any = replace(CARD, zones=tuple(zone() for _ in range(20_000)))

    with pytest.raises(CardTooLarge):
        table.change_card("ups", lambda _: card)
    assert table.cards() == ()
