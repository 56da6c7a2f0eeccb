"""A packing station whose worker dies, and carriers whose answers are lost: one purchase."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest

from functions.labels.counter import Counter, Wanted, buy
from functions.labels.manifests import Listing, list_parcels
from functions.labels.till import void, void_unused
from oms.adapters.carriers.labels import Label, LabelRefused, Labels, Shipment, Unanswered, Voiding
from oms.adapters.carriers.table_carrier import TableCarrier
from oms.adapters.labels_table import (
    LabelRow,
    LabelsTable,
    LabelStatus,
    ManifestRow,
    ManifestStatus,
)
from oms.adapters.network_table import NetworkTable
from oms.domain import commands as c
from oms.domain.contact import Contact
from oms.domain.errors import Contended
from oms.domain.ids import order_of_fulfillment
from oms.domain.network.rates import Load
from tests.adapters.carriers.easypost_server import Account, served
from tests.adapters.carriers.test_labels import ADA, CARD, bought_of
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud

MEASURED = Load(1, 2_500)


@dataclass
class Drawer:
    kept: dict[str, bytes] = field(default_factory=dict)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        self.kept[name] = b"".join(pieces)


class Contacts:
    def contact(self, customer_id: str, order_id: str) -> Contact | None:
        return Contact("a@b.c", "Ada", address=ADA)


@dataclass
class Station:
    """Every look at the clock is a minute later: no lease outlives a worker."""

    world: World
    account: Account
    drawer: Drawer = field(default_factory=Drawer)
    minutes: Iterator[int] = field(default_factory=count)
    began: datetime = field(default_factory=now)

    def clock(self) -> datetime:
        return self.began + timedelta(minutes=next(self.minutes))

    def counter(self, world: World | None = None, *others: Labels) -> Counter:
        world = world or self.world
        both: tuple[Labels, ...] = (TableCarrier(CARD), bought_of(self.account))
        labels = {each.code: each for each in (*both, *others)}
        return Counter(
            world.orders,
            Contacts(),
            NetworkTable(world.client, world.stock_name),
            self.drawer,
            LabelsTable(world.client, world.orders_name),
            lambda cards: labels,
            self.clock,
        )

    def routed(self) -> str:
        order_id = self.world.place(an_order()).order_id
        self.world.pay(order_id)
        self.world.route(order_id)
        (box,) = self.world.orders.get(order_id).fulfillment_orders
        return box.fulfillment_order_id

    def buy(
        self, identity: str, carrier: str, world: World | None = None, key: str = "k"
    ) -> LabelRow:
        return buy(self.counter(world), identity, wanted(carrier), "client:shop", key)

    def list(self, carrier: str, world: World | None = None) -> ManifestRow:
        listing = Listing("AUSTIN", carrier, "", "body")
        return list_parcels(self.counter(world), listing, "client:shop", "m")

    def rows(self) -> LabelsTable:
        return self.counter().rows


def wanted(carrier: str) -> Wanted:
    service = {"manual": "standard", "easypost": "USPS.Priority"}[carrier]
    return Wanted(carrier, service, MEASURED, "body")


@pytest.fixture
def station(dynamodb: Any) -> Iterator[Station]:
    world = World.new(dynamodb)
    world.receive("MUG", 50)
    with served() as account:
        yield Station(world, account)


each_carrier = pytest.mark.parametrize("carrier", ["manual", "easypost"])


@each_carrier
def test_a_worker_that_dies_at_any_step_leaves_one_label(station: Station, carrier: str) -> None:
    identity = station.routed()

    deaths = survives(station.world, lambda world: station.buy(identity, carrier, world))

    row = station.buy(identity, carrier)
    assert deaths >= 8
    assert row.status is LabelStatus.BOUGHT
    assert len(station.drawer.kept) == len(row.documents) == 2
    assert station.account.paid.total() == (1 if carrier == "easypost" else 0)
    assert [each.label_id for each in station.rows().waiting("AUSTIN", carrier)] == [row.label_id]


@pytest.mark.parametrize("lost", ["create", "buy"])
@pytest.mark.parametrize("hides", [False, True])
def test_an_answer_that_is_lost_before_a_worker_dies_is_no_second_purchase(
    station: Station, lost: str, hides: bool
) -> None:
    """Also where what was made is not found by our reference."""
    identity = station.routed()
    station.account.hides = hides

    def insisting(world: World) -> LabelRow:
        station.account.loses = {lost: 1}
        for _ in range(3):
            try:
                return station.buy(identity, "easypost", world)
            except Unanswered:
                continue
        raise AssertionError("it never answers")

    survives(station.world, insisting)

    assert station.account.paid.total() == 1


@each_carrier
def test_a_worker_that_dies_while_it_voids_gives_back_once(station: Station, carrier: str) -> None:
    row = station.buy(station.routed(), carrier)

    survives(station.world, lambda world: void(station.counter(world).till, row.label_id))

    outcome, voided = void(station.counter().till, row.label_id)
    assert (outcome, voided.status) == (Voiding.ALREADY, LabelStatus.VOIDED)
    assert station.account.given_back.total() == (1 if carrier == "easypost" else 0)
    assert station.rows().waiting("AUSTIN", carrier) == ()


@each_carrier
def test_a_worker_that_dies_while_it_lists_leaves_one_manifest(
    station: Station, carrier: str
) -> None:
    labels = [station.buy(station.routed(), carrier).label_id for _ in range(3)]

    survives(station.world, lambda world: station.list(carrier, world))

    row = station.list(carrier)
    assert (row.status, row.number) == (ManifestStatus.MADE, 1)
    assert sorted(row.labels) == sorted(labels)
    assert len(station.account.forms) == (1 if carrier == "easypost" else 0)
    assert {each.manifest_id for each in station.rows().labels(labels)} == {row.manifest_id}


def test_two_who_ask_at_once_under_one_key_are_one_purchase(station: Station) -> None:
    identity = station.routed()
    frozen = now()
    asked = []

    class Slow(TableCarrier):
        def buy(self, shipment: Shipment, service: str, key: str, prepared: str = "") -> Label:
            asked.append(key)
            with pytest.raises(Contended):
                again()
            return super().buy(shipment, service, key, prepared)

    station.clock = lambda: frozen  # type: ignore[method-assign]
    counter = station.counter(None, Slow(CARD))
    again = partial(buy, counter, identity, wanted("manual"), "client:shop", "k")

    assert again().status is LabelStatus.BOUGHT
    assert len(asked) == 1


@each_carrier
def test_a_label_that_is_bought_while_its_box_is_stopped_is_given_back(
    station: Station, carrier: str
) -> None:
    """Who gave back the labels of the box came too early for this one."""
    identity = station.routed()
    order_id = order_of_fulfillment(identity)

    class Slow(TableCarrier):
        def buy(self, shipment: Shipment, service: str, key: str, prepared: str = "") -> Label:
            label = super().buy(shipment, service, key, prepared)
            station.world.cancel(order_id)
            assert void_unused(station.counter().till, order_id) == {}
            return label

    counter = station.counter(None, *([Slow(CARD)] if carrier == "manual" else []))
    if carrier == "easypost":
        station.account.loses = {"buy": 1}
        with pytest.raises(Unanswered):
            station.buy(identity, carrier)
        station.world.cancel(order_id)
        assert void_unused(station.counter().till, order_id) == {}

    row = buy(counter, identity, wanted(carrier), "client:shop", "k")

    assert row.status is LabelStatus.VOIDED
    assert void(station.counter().till, row.label_id)[0] is Voiding.ALREADY
    assert station.account.given_back.total() == (1 if carrier == "easypost" else 0)
    assert station.buy(identity, carrier) == row


def test_a_label_of_a_stopped_box_whose_carrier_keeps_its_money_is_told_as_bought(
    station: Station,
) -> None:
    identity = station.routed()
    station.account.loses, station.account.refund_status = {"buy": 1}, "rejected"
    with pytest.raises(Unanswered):
        station.buy(identity, "easypost")
    station.world.cancel(order_of_fulfillment(identity))

    assert station.buy(identity, "easypost").status is LabelStatus.BOUGHT


def test_a_void_and_a_manifest_do_not_have_the_same_label(station: Station) -> None:
    """The void has begun when the manifest looks: the parcel is not handed over."""
    row = station.buy(station.routed(), "manual")
    other = station.buy(station.routed(), "manual", key="other")

    class Slow(TableCarrier):
        def void(self, *said: Any) -> Any:
            listed.append(station.list("manual"))
            return super().void(*said)

    listed: list[Any] = []
    outcome, _ = void(station.counter(None, Slow(CARD)).till, row.label_id)

    assert outcome is Voiding.VOIDED
    assert listed[0].labels == (other.label_id,)


def test_a_manifest_takes_ninety_parcels_at_most(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.labels.manifests.MAX_PARCELS", 2)
    identity = station.routed()
    for number in range(3):
        station.buy(identity, "manual", key=str(number))

    assert len(station.list("manual").labels) == 2
    assert len(station.rows().waiting("AUSTIN", "manual")) == 1


def test_a_refusal_is_kept_when_the_worker_dies(station: Station) -> None:
    identity = station.routed()
    station.account.refuses = {"buy": (422, "NO")}

    def refused(world: World) -> None:
        with pytest.raises(LabelRefused):
            station.buy(identity, "easypost", world)

    survives(station.world, refused)

    station.account.refuses = {}
    refused(station.world)


@each_carrier
def test_the_labels_of_a_box_that_will_not_leave_are_given_back_once(
    station: Station, carrier: str
) -> None:
    identity, other = station.routed(), station.routed()
    rows = [station.buy(identity, carrier, key=key) for key in "ab"]
    kept = station.buy(other, carrier)
    order_id = order_of_fulfillment(identity)
    assert void_unused(station.counter().till, order_id) == {}
    station.world.do(order_id, c.RejectFulfillmentOrder(identity, "broken"))

    survives(station.world, lambda world: void_unused(station.counter(world).till, order_id))

    assert void_unused(station.counter().till, order_id) == {}
    statuses = {row.label_id: row.status for row in station.rows().of_order(order_id)}
    assert statuses == {row.label_id: LabelStatus.VOIDED for row in rows}
    assert station.account.given_back.total() == (2 if carrier == "easypost" else 0)
    assert station.rows().get(kept.label_id).status is LabelStatus.BOUGHT


def test_a_label_whose_carrier_keeps_its_money_is_no_failure(station: Station) -> None:
    identity = station.routed()
    row = station.buy(identity, "easypost")
    station.world.cancel(order_of_fulfillment(identity))
    station.account.refund_status = "rejected"

    found = void_unused(station.counter().till, order_of_fulfillment(identity))

    assert found == {row.label_id: "easypost: rejected"}


def test_a_carrier_that_does_not_answer_is_asked_again_for_the_money(station: Station) -> None:
    identity = station.routed()
    row = station.buy(identity, "easypost")
    order_id = order_of_fulfillment(identity)
    station.world.cancel(order_id)
    station.account.loses = {"refund": 1}
    with pytest.raises(Unanswered):
        void_unused(station.counter().till, order_id)

    assert void_unused(station.counter().till, order_id) == {row.label_id: Voiding.ALREADY}
    assert station.account.given_back.total() == 1
