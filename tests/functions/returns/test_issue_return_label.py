"""A label for goods that come back, and the parcel that it is on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from functions.returns import api, issue_return_label
from functions.returns.issue_return_label import Counter, issue
from functions.tracking import receive_carrier_webhook as webhook
from oms.adapters.carriers import sandbox
from oms.adapters.carriers.label_carriers import SandboxLabels
from oms.adapters.carriers.labels import Label, LabelRefused, Parcel
from oms.adapters.files import files
from oms.adapters.network_table import NetworkTable
from oms.adapters.scan_inbox import ScanInbox
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact, PostalAddress
from oms.domain.ids import order_of_return
from oms.domain.returns import RefundWhen, Return, ReturnStatus, Terms
from oms.domain.tracking import TrackingStatus, TrackingUpdate, scan
from tests.functions.doors import SECRETS, House, ask, house
from tests.functions.returns.shelf import approved, asked
from tests.functions.world import World, now, survives

__all__ = ["house"]
pytestmark = pytest.mark.cloud

ADA = PostalAddress("US", "Ada Byron", "", "1 Main St", "", "Austin", "TX", "78701")


@dataclass
class Drawer:
    """Where documents lie."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        self.kept[name] = b"".join(pieces)


@dataclass
class Contacts:
    known: Contact | None = field(default_factory=lambda: Contact("a@b.c", "Ada", address=ADA))

    def contact(self, customer_id: str, order_id: str) -> Contact | None:
        return self.known


@dataclass
class Asked(SandboxLabels):
    """What the carrier was asked for."""

    parcels: list[Parcel] = field(default_factory=list)

    def create(self, parcel: Parcel) -> Label:
        self.parcels.append(parcel)
        return super().create(parcel)


@dataclass
class Desk:
    world: World
    drawer: Drawer = field(default_factory=Drawer)
    labels: Asked = field(default_factory=Asked)
    contacts: Contacts = field(default_factory=Contacts)

    def counter(self, world: World | None = None) -> Counter:
        world = world or self.world
        return Counter(
            world.orders,
            self.contacts,
            NetworkTable(world.client, world.stock_name),
            self.drawer,
            ScanInbox(world.client, world.orders_name),
            self.labels,
            now,
        )

    def issue(self, found: Return) -> str:
        return issue(self.counter(), found.return_id)

    def now_of(self, found: Return) -> Return:
        return self.world.check(order_of_return(found.return_id)).return_(found.return_id)


@pytest.fixture
def desk(dynamodb: Any) -> Desk:
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    return Desk(world)


def test_an_approved_return_is_given_one_label_to_where_it_came_from(desk: Desk) -> None:
    found = approved(desk.world)

    assert [desk.issue(found) for _ in range(3)] == ["issued"] * 3

    (parcel,) = desk.now_of(found).parcels
    assert parcel.carrier == "test"
    assert parcel.qr == f"test-return:{parcel.tracking_number}"
    assert desk.drawer.kept.keys() == {parcel.document} == {f"labels/{found.return_id}.pdf"}
    assert {each.receiver.name for each in desk.labels.parcels} == {"Austin"}
    assert {each.sender for each in desk.labels.parcels} == {ADA}


def test_a_worker_that_dies_at_any_step_leaves_one_label(desk: Desk) -> None:
    found = approved(desk.world)

    deaths = survives(desk.world, lambda world: issue(desk.counter(world), found.return_id))

    assert deaths >= 6
    assert len(desk.now_of(found).parcels) == len(desk.drawer.kept) == 1
    told = desk.world.orders.whole_history(order_of_return(found.return_id))
    assert sum(isinstance(fact.event, e.ReturnLabelIssued) for fact in told) == 1


def test_what_is_told_of_a_label_names_nobody(desk: Desk) -> None:
    found = approved(desk.world)
    desk.issue(found)

    told = str(desk.world.orders.whole_history(order_of_return(found.return_id)))

    assert not any(word in told for word in ("Byron", "Main St"))


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"terms": Terms(keep=True)}, "nothing has to come back"),
        ({"in_store": "RENO"}, "it is handed over a counter"),
    ],
)
def test_what_is_not_sent_needs_no_label(desk: Desk, how: dict[str, Any], why: str) -> None:
    found = approved(desk.world, **how)

    assert desk.issue(found) == why
    assert desk.labels.parcels == []


@pytest.mark.parametrize("over", [c.CancelReturn, c.DeclineReturn])
def test_what_is_over_needs_no_label(desk: Desk, over: Any) -> None:
    found = approved(desk.world) if over is c.CancelReturn else asked(desk.world)
    desk.world.do(order_of_return(found.return_id), over(found.return_id, "no"))

    assert desk.issue(found) == "nothing is awaited"


def test_a_return_that_is_called_off_while_its_label_is_made_keeps_none(desk: Desk) -> None:
    found = approved(desk.world)

    class Slow(Asked):
        def create(self, parcel: Parcel) -> Label:
            order_id = order_of_return(parcel.key)
            desk.world.do(order_id, c.CancelReturn(parcel.key, "kept"))
            return super().create(parcel)

    desk.labels = Slow()

    assert desk.issue(found) == "it was called off meanwhile"
    assert desk.now_of(found).parcels == ()


def test_a_label_that_was_given_otherwise_is_left(desk: Desk) -> None:
    found = approved(desk.world)
    label = c.RecordReturnLabel(found.return_id, "easypost", "EZ-9")
    desk.world.do(order_of_return(found.return_id), label)

    assert desk.issue(found) == "it has a label"
    assert [each.tracking_number for each in desk.now_of(found).parcels] == ["EZ-9"]


def test_a_customer_who_was_forgotten_can_still_send_goods_back(desk: Desk) -> None:
    found = approved(desk.world)
    desk.contacts.known = None

    assert desk.issue(found) == "issued"
    assert desk.labels.parcels[0].sender == PostalAddress("US")


def test_what_the_carrier_refuses_is_not_called_issued(desk: Desk) -> None:
    found = approved(desk.world)

    class Refuses(Asked):
        def create(self, parcel: Parcel) -> Label:
            raise LabelRefused("too far")

    desk.labels = Refuses()

    with pytest.raises(LabelRefused):  # it ends among the dead letters
        desk.issue(found)
    assert desk.now_of(found).parcels == ()


def test_without_a_carrier_of_ours_customers_choose_theirs(desk: Desk) -> None:
    counter = replace(desk.counter(), labels=None)

    assert issue(counter, approved(desk.world).return_id) == "customers choose the carrier"


def seen(number: str, status: TrackingStatus, at: datetime | None = None) -> TrackingUpdate:
    each = scan("test", number, status, at or now(), status.value)
    return TrackingUpdate("test", number, (each,))


def tell(desk: Desk, update: TrackingUpdate) -> Any:
    inbox = ScanInbox(desk.world.client, desk.world.orders_name)
    return webhook.record_scans(desk.world.orders, inbox, update, at=now())


def test_the_first_movement_of_the_parcel_puts_the_return_on_its_way_once(desk: Desk) -> None:
    found = approved(desk.world)
    desk.issue(found)
    number = desk.now_of(found).parcels[0].tracking_number
    created = seen(number, TrackingStatus.LABEL_CREATED)
    moving = seen(number, TrackingStatus.IN_TRANSIT)

    tell(desk, created)
    assert desk.now_of(found).status is ReturnStatus.APPROVED
    tell(desk, moving)
    version = desk.world.orders.get(order_of_return(found.return_id)).version
    for update in (moving, created, moving):
        assert tell(desk, update).order_id == order_of_return(found.return_id)

    assert desk.now_of(found).status is ReturnStatus.IN_TRANSIT
    assert desk.world.orders.get(order_of_return(found.return_id)).version == version


def test_a_parcel_that_the_carrier_has_delivered_is_not_received_yet(desk: Desk) -> None:
    found = approved(desk.world)
    desk.issue(found)
    number = desk.now_of(found).parcels[0].tracking_number

    tell(desk, seen(number, TrackingStatus.DELIVERED))

    now_is = desk.now_of(found)
    assert now_is.status is ReturnStatus.IN_TRANSIT
    assert now_is.parcels[0].status is TrackingStatus.DELIVERED
    assert now_is.lines[0].received == ()


def test_scans_that_come_before_the_label_is_recorded_are_not_lost(desk: Desk) -> None:
    found = approved(desk.world)
    number = SandboxLabels().create(Parcel(found.return_id, "", ADA, ADA)).tracking_number
    assert "kept" in tell(desk, seen(number, TrackingStatus.IN_TRANSIT)).ignored

    desk.issue(found)

    assert desk.now_of(found).status is ReturnStatus.IN_TRANSIT
    inbox = ScanInbox(desk.world.client, desk.world.orders_name)
    assert inbox.kept("test", number) == ()


def test_a_worker_that_dies_with_scans_in_the_inbox_loses_none(desk: Desk) -> None:
    found = approved(desk.world)
    number = SandboxLabels().create(Parcel(found.return_id, "", ADA, ADA)).tracking_number
    tell(desk, seen(number, TrackingStatus.IN_TRANSIT))

    survives(desk.world, lambda world: issue(desk.counter(world), found.return_id))

    assert desk.now_of(found).status is ReturnStatus.IN_TRANSIT
    assert len(desk.now_of(found).parcels[0].scans) == 1


def test_a_refund_that_waits_for_the_first_scan_is_asked_for_by_it(desk: Desk) -> None:
    found = approved(desk.world, Terms(refund_when=RefundWhen.FIRST_SCAN))
    desk.issue(found)
    number = desk.now_of(found).parcels[0].tracking_number

    tell(desk, seen(number, TrackingStatus.IN_TRANSIT))

    order = desk.world.orders.get(order_of_return(found.return_id))
    assert [credit.amount for credit in order.credits] == [1000]


def test_one_number_of_two_parcels_tells_of_both(desk: Desk) -> None:
    """Carriers use a number again, and a customer may send the box back as it came."""
    found = approved(desk.world)
    order_id = order_of_return(found.return_id)
    (box,) = desk.world.orders.get(order_id).fulfillment_orders
    (parcel,) = box.parcels
    label = c.RecordReturnLabel(found.return_id, parcel.carrier, parcel.tracking_number)
    desk.world.do(order_id, label)
    at = scan(parcel.carrier, parcel.tracking_number, TrackingStatus.IN_TRANSIT, now(), "x")

    answer = tell(desk, TrackingUpdate(parcel.carrier, parcel.tracking_number, (at,)))

    assert answer.order_id == order_id
    assert desk.now_of(found).status is ReturnStatus.IN_TRANSIT


def test_the_function_prints_and_stores_the_label_and_the_api_links_it(house: House) -> None:
    house.stocked("MUG", 10)
    client = house.cloud.client("dynamodb")
    world = World(client, house.environment["ORDERS_TABLE"], house.environment["STOCK_TABLE"])
    found = approved(world)
    order_id = order_of_return(found.return_id)
    told = {"order_id": order_id, "data": {"return_id": found.return_id}}

    said = issue_return_label.handler({"detail": told}, None)

    assert said == {"outcome": "issued", "order_id": order_id, "return_id": found.return_id}
    stored = b"".join(files().read(f"labels/{found.return_id}.pdf"))
    assert stored.startswith(b"%PDF-")
    _, view = ask(api, "GET /returns/{return_id}", return_id=found.return_id)
    (parcel,) = view["parcels"]
    assert f"labels/{found.return_id}.pdf" in parcel["label"]
    assert parcel["qr"] == f"test-return:{parcel['tracking_number']}"
    status, answer = moved(parcel["tracking_number"])
    assert (status, answer["order_id"]) == (200, order_id)


def moved(number: str) -> tuple[int, Any]:
    message = {"tracking_number": number, "status": "in_transit", "at": now().isoformat()}
    body = json.dumps(message).encode()
    headers = {"Test-Signature": sandbox.signature(body, SECRETS["test"])}
    route = "POST /carriers/{carrier}/webhooks"
    return ask(webhook, route, body, headers=headers, carrier="test")
