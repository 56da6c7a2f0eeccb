"""Subscribers over real tables; a receiver, a bus and an archive in memory, and a clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from functions.subscribers.api import Desk as ApiDesk
from functions.subscribers.concerning import Channels
from functions.subscribers.queue_deliveries import Desk, queue_all
from functions.subscribers.replaying import Shelves
from functions.subscribers.send_deliveries import Crew, look_after_all, work
from functions.subscribers.sending import Books
from oms.adapters.deliveries import Deliveries
from oms.adapters.delivery_queue import Errand
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.event_log import Segment
from oms.adapters.shop_leases import ShopLeases
from oms.adapters.subscriber_secrets import PURPOSE, SubscriberSecrets
from oms.adapters.subscribers_table import SubscribersTable
from oms.adapters.vault import Vault
from oms.adapters.webhook_sender import WebhookSender
from oms.contracts.api.subscribers import PutSubscriber
from oms.domain.subscribers import Delivery
from tests.fake_receiver import FakeReceiver
from tests.functions.world import Mortal
from tests.tables import create_table

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
URL = "https://hooks.example/in"


class FakeKms:
    """Keys that are what they seal."""

    def generate_data_key(self, **request: Any) -> dict[str, bytes]:
        assert request["EncryptionContext"] == PURPOSE
        key = uuid4().bytes * 2
        return {"CiphertextBlob": b"sealed" + key, "Plaintext": key}

    def decrypt(self, **request: Any) -> dict[str, bytes]:
        assert request["EncryptionContext"] == PURPOSE
        return {"Plaintext": request["CiphertextBlob"].removeprefix(b"sealed")}


@dataclass
class FakeTap:
    is_on: bool = False

    def turn(self, *, on: bool) -> bool:
        moved, self.is_on = self.is_on != on, on
        return moved


@dataclass
class FakeQueue:
    """Messages, and how long after they come."""

    nudges: list[tuple[Errand, timedelta]] = field(default_factory=list)

    def nudge(self, subscriber_id: str, after: timedelta = timedelta(), replay: str = "") -> None:
        self.nudges.append((Errand(subscriber_id, replay), after))


@dataclass
class FakeArchive:
    segments: list[tuple[Segment, list[dict[str, Any]]]] = field(default_factory=list)

    def add(self, at: datetime, *envelopes: dict[str, Any]) -> None:
        number = len(self.segments) + 1
        self.segments.append((Segment(number, f"{number}", len(envelopes), at), list(envelopes)))

    def last(self) -> int:
        return len(self.segments)

    def after(self, number: int, limit: int = 25) -> list[Segment]:
        return [segment for segment, _ in self.segments[number : number + limit]]

    def read(self, segment: Segment) -> list[dict[str, Any]]:
        return self.segments[segment.number - 1][1]


@dataclass
class Failures:
    told: list[str] = field(default_factory=list)

    def tell(self, subscriber_id: str, why: str) -> None:
        self.told.append(why)


@dataclass
class House:
    client: DynamoDB
    table: str
    clock: list[datetime]
    receiver: FakeReceiver
    queue: FakeQueue = field(default_factory=FakeQueue)
    tap: FakeTap = field(default_factory=FakeTap)
    archive: FakeArchive = field(default_factory=FakeArchive)
    failures: Failures = field(default_factory=Failures)
    kms: FakeKms = field(default_factory=FakeKms)
    channel: dict[str, str] = field(default_factory=dict)
    asked_channels: list[str] = field(default_factory=list)
    late: list[bool] = field(default_factory=list)

    @classmethod
    def new(cls, client: DynamoDB) -> House:
        clock = [START]
        table = create_table(client, "channels", f"channels-{uuid4().hex[:12]}")
        return cls(client, table, clock, FakeReceiver(lambda: clock[0]))

    def mortal(self, dies_at: int, *, after: bool) -> House:
        return replace(self, client=Mortal(self.client, dies_at, after))

    def now(self) -> datetime:
        return self.clock[0]

    def wait(self, **how: float) -> None:
        self.clock[0] += timedelta(**how)

    @property
    def subscribers(self) -> SubscribersTable:
        return SubscribersTable(self.client, self.table)

    @property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.client, self.table)

    @property
    def secrets(self) -> SubscriberSecrets:
        vault = Vault(self.client, self.kms, self.table, "key", PURPOSE)
        return SubscriberSecrets(self.client, self.table, vault)

    @property
    def api(self) -> ApiDesk:
        sender = WebhookSender(self.receiver)
        return ApiDesk(
            self.subscribers,
            self.deliveries,
            self.secrets,
            self.queue,
            self.tap,
            sender,
            self.now,
        )

    @property
    def desk(self) -> Desk:
        channels = Channels(self._channel_of)
        return Desk(self.subscribers, self.deliveries, self.queue, channels, self.now)

    @property
    def crew(self) -> Crew:
        books = Books(
            self.subscribers,
            self.deliveries,
            self.secrets,
            WebhookSender(self.receiver),
            self.failures,
            self.now,
            lambda: 0.5,
            self._is_late,
        )
        shelves = Shelves(
            self.archive,
            self.subscribers,
            self.deliveries,
            Channels(self._channel_of),
            self.now,
            self._is_late,
        )
        return Crew(ShopLeases(self.client, self.table), self.queue, self.tap, books, shelves)

    def subscribe(self, *types: str, name: str = "sub_a", **said: Any) -> str:
        """Its id; the receiver knows its secret."""
        from functions.subscribers.api import add

        put = PutSubscriber.read({"url": URL, "types": list(types), **said})
        view = add(self.api, name, put)
        self.receiver.secrets += [view.secret] if view.secret else []
        return view.subscriber_id

    def happen(self, *envelopes: dict[str, Any]) -> list[str]:
        """On the bus, as its queue gives it to us."""
        records = [
            {"messageId": f"m{place}", "body": json.dumps({"detail": each})}
            for place, each in enumerate(envelopes)
        ]
        return queue_all(records, self.desk)

    def send(self, subscriber_id: str = "sub_a", replay: str = "") -> str:
        return work(self.crew, Errand(subscriber_id, replay))

    def minute(self) -> str:
        """What is done by the clock, and then by those whom it nudged."""
        self.queue.nudges.clear()
        outcome = look_after_all(self.crew)
        for errand, _ in list(self.queue.nudges):
            work(self.crew, errand)
        return outcome

    def log(self, subscriber_id: str = "sub_a") -> Sequence[Delivery]:
        return self.deliveries.log(subscriber_id, 200).deliveries

    def _channel_of(self, order_id: str) -> str:
        self.asked_channels.append(order_id)
        return self.channel[order_id]

    def _is_late(self) -> bool:
        return self.late.pop(0) if self.late else False


def an_event(number: int, kind: str = "OrderPlaced", at: datetime = START) -> dict[str, Any]:
    order_id = f"ord_{number}"
    return {
        "id": f"{order_id}#000001",
        "type": kind,
        "version": 1,
        "at": at.isoformat(),
        "order_id": order_id,
        "seq": 1,
        "actor": "client:shop",
        "data": {"n": number},
    }
