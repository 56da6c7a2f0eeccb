"""Other systems that are told of events, for those who answer for them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol
from uuid import uuid4

from oms.adapters.deliveries import Deliveries, deliveries
from oms.adapters.delivery_queue import delivery_queue
from oms.adapters.event_tap import event_tap
from oms.adapters.http_api import HttpApi, Request
from oms.adapters.subscriber_secrets import SubscriberSecrets, subscriber_secrets
from oms.adapters.subscribers_table import Known, SubscribersTable, subscribers_table
from oms.adapters.webhook_sender import WebhookSender, webhook_sender
from oms.contracts.api.subscribers import (
    EventTypePage,
    EventTypeSummary,
    EventTypeView,
    NewSecret,
    PutSubscriber,
    RotateSecret,
    StartReplay,
    SubscriberPage,
    SubscriberReplayView,
    SubscriberView,
    WebhookAttemptView,
    WebhookDeliveryPage,
    WebhookDeliveryQuery,
    WebhookDeliveryView,
    WebhookSecretView,
)
from oms.contracts.events import CATALOGUE
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.webhook_messages import message
from oms.contracts.webhook_schemas import message_schema, said_of, subscribable
from oms.domain.errors import NotFound, Refused
from oms.domain.ids import name_of
from oms.domain.subscriber_urls import PUBLIC_ONLY, why_no_address
from oms.domain.subscribers import (
    TEST,
    Attempt,
    Delivery,
    DeliveryState,
    Replay,
    Subscriber,
    Verdict,
    verdict,
)
from oms.settings import is_local

ENVIRONMENT: tuple[str, ...] = (
    "CHANNELS_TABLE",
    "VAULT_KEY_ID",
    "EVENT_BUS",
    "DELIVERY_QUEUE",
    "SUBSCRIBER_RULE",
    "SUBSCRIBER_MAPPING",
)

MOST_SUBSCRIBERS = 100
ON_THIS_MACHINE = frozenset({"http", "https"})  # where the cloud is embedded

app = HttpApi("SubscribersApi")


class Queue(Protocol):
    def nudge(self, subscriber_id: str, after: timedelta = ..., replay: str = ...) -> None: ...


class Tap(Protocol):
    def turn(self, *, on: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """`schemes` of the addresses that subscribers may have."""

    subscribers: SubscribersTable
    deliveries: Deliveries
    secrets: SubscriberSecrets
    queue: Queue
    tap: Tap
    sender: WebhookSender
    clock: Callable[[], datetime]
    schemes: Collection[str] = PUBLIC_ONLY


@cache
def desk() -> Desk:
    return Desk(
        subscribers_table(),
        deliveries(),
        subscriber_secrets(),
        delivery_queue(),
        event_tap(),
        webhook_sender(),
        lambda: datetime.now(UTC),
        ON_THIS_MACHINE if is_local() else PUBLIC_ONLY,
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/subscribers")
def get_subscribers(request: Request) -> SubscriberPage:  # noqa: ARG001  (nothing is asked)
    return SubscriberPage([view(desk(), known) for known in desk().subscribers.all()])


@app.route("POST", "/subscribers")
def post_subscriber(request: Request) -> SubscriberView:
    said, key = request.read(PutSubscriber), request.idempotency_key
    named = name_of(request.actor, key) if key else uuid4().hex[:26]
    return add(desk(), f"sub_{named}", said)


@app.route("GET", "/subscribers/{subscriber_id}")
def get_subscriber(request: Request) -> SubscriberView:
    return view(desk(), _known(request))


@app.route("PUT", "/subscribers/{subscriber_id}")
def put_subscriber(request: Request) -> SubscriberView:
    return change(desk(), _known(request).subscriber, request.read(PutSubscriber))


@app.route("DELETE", "/subscribers/{subscriber_id}")
def delete_subscriber(request: Request) -> SubscriberView:
    known = _known(request)
    forget(desk(), known.subscriber.subscriber_id)
    return view(desk(), replace(known, subscriber=replace(known.subscriber, enabled=False)))


@app.route("POST", "/subscribers/{subscriber_id}/secrets")
def post_secret(request: Request) -> NewSecret:
    overlap = timedelta(hours=request.read(RotateSecret).overlap_hours)
    identity = _known(request).subscriber.subscriber_id
    secret = desk().secrets.rotate(identity, desk().clock(), overlap)
    return NewSecret(secret, _secrets(desk(), identity))


@app.route("POST", "/subscribers/{subscriber_id}/test")
def post_test(request: Request) -> WebhookDeliveryView:
    return delivery_view(send_test(desk(), _known(request).subscriber, request.actor))


@app.route("GET", "/subscribers/{subscriber_id}/deliveries")
def get_deliveries(request: Request) -> WebhookDeliveryPage:
    query = request.read_query(WebhookDeliveryQuery)
    identity = _known(request).subscriber.subscriber_id
    if query.status is None:
        page = desk().deliveries.log(identity, query.limit, query.cursor)
    else:
        state = DeliveryState(query.status)
        page = desk().deliveries.listed(identity, state, query.limit, query.cursor)
    return WebhookDeliveryPage([delivery_view(each) for each in page.deliveries], page.cursor)


@app.route("POST", "/subscribers/{subscriber_id}/deliveries/{delivery_id}/retry")
def post_retry(request: Request) -> WebhookDeliveryView:
    identity = _known(request).subscriber.subscriber_id
    return delivery_view(retry(desk(), identity, request.path["delivery_id"]))


@app.route("POST", "/subscribers/{subscriber_id}/replays")
def post_replay(request: Request) -> SubscriberReplayView:
    said, key = request.read(StartReplay), request.idempotency_key
    named = name_of(request.actor, key) if key else uuid4().hex[:26]
    identity = _known(request).subscriber.subscriber_id
    return replay_view(start_replay(desk(), identity, f"rpl_{named}", said, request.actor))


@app.route("GET", "/subscribers/{subscriber_id}/replays/{replay_id}")
def get_replay(request: Request) -> SubscriberReplayView:
    identity = request.path["subscriber_id"]
    return replay_view(desk().subscribers.replay(identity, request.path["replay_id"])[0])


@app.route("GET", "/events/catalogue")
def get_catalogue(request: Request) -> EventTypePage:  # noqa: ARG001  (nothing is asked)
    events = (CATALOGUE[name] for name in subscribable())
    return EventTypePage(
        [EventTypeSummary(x.name, x.version, x.source, said_of(x)) for x in events]
    )


@app.route("GET", "/events/catalogue/{type}")
def get_event_type(request: Request) -> EventTypeView:
    if (name := request.path["type"]) not in subscribable():
        raise NotFound("event type", name)
    event = CATALOGUE[name]
    schema = message_schema(name)
    return EventTypeView(name, event.version, event.source, said_of(event), schema)


def add(desk: Desk, subscriber_id: str, said: PutSubscriber) -> SubscriberView:
    """Asked for twice under one key it is one; its secret is told once, and made anew only where
    there is none."""
    _check(desk, said)
    now = desk.clock()
    others = [x for x in desk.subscribers.all() if x.subscriber.subscriber_id != subscriber_id]
    if len(others) >= MOST_SUBSCRIBERS:
        raise Refused(f"there are {MOST_SUBSCRIBERS} subscribers already")
    desk.subscribers.add(_said(Subscriber(subscriber_id, said.url, now, now), said))
    known = desk.subscribers.get(subscriber_id)
    secret = ""
    if not desk.secrets.infos(subscriber_id, now):
        secret = desk.secrets.rotate(subscriber_id, now, timedelta())
    if known.subscriber.enabled:
        desk.tap.turn(on=True)
    return view(desk, known, secret)


def change(desk: Desk, was: Subscriber, said: PutSubscriber) -> SubscriberView:
    """Enabled again it is told of what happens from now on, and of what waited; what it has failed
    at before is forgotten, as it is where its address is another."""
    _check(desk, said)
    changed = replace(_said(was, said), why_disabled="")
    anew = said.enabled and not was.enabled
    if anew:
        changed = replace(changed, since=desk.clock())
    if not desk.subscribers.replace(changed, forget=anew or was.url != said.url):
        raise NotFound("subscriber", was.subscriber_id)
    if changed.enabled:
        desk.tap.turn(on=True)
        desk.queue.nudge(was.subscriber_id)
    return view(desk, desk.subscribers.get(was.subscriber_id))


def forget(desk: Desk, subscriber_id: str) -> None:
    """The row goes first: nobody sends or queues anything for it any more."""
    desk.subscribers.remove(subscriber_id)
    desk.secrets.forget(subscriber_id)


def send_test(desk: Desk, subscriber: Subscriber, actor: str) -> Delivery:
    """Now, also to one that is not enabled; it is in the log, and not tried again."""
    now, identity = desk.clock(), subscriber.subscriber_id
    event_id = f"test#{uuid4().hex}"
    envelope = {
        "id": event_id,
        "type": TEST,
        "version": 1,
        "at": now.isoformat(),
        "actor": actor,
        "data": {},
    }
    new, body = Delivery(identity, event_id, TEST, now, now, now), message(envelope)
    secrets = desk.secrets.valid(identity, now)
    attempt = desk.sender.send(subscriber.url, new.message_id, body, secrets, now).attempt
    sent = _tested(new, attempt)
    desk.deliveries.put(sent, body)
    return sent


def retry(desk: Desk, subscriber_id: str, delivery_id: str) -> Delivery:
    """Also what was delivered; what waits is due now."""
    queued = desk.deliveries.get(subscriber_id, delivery_id)
    if queued.delivery.type == TEST:
        raise Refused("a test is not sent again: send another one")
    again = queued.delivery.again(desk.clock())
    if not desk.deliveries.mark(queued, again):
        return desk.deliveries.get(subscriber_id, delivery_id).delivery
    desk.queue.nudge(subscriber_id)
    return again


def start_replay(
    desk: Desk, subscriber_id: str, replay_id: str, said: StartReplay, actor: str
) -> Replay:
    """One at a time."""
    now = desk.clock()
    if said.end > now:
        raise InvalidRequest([Fault("to", "is in the future")])
    if others := [x for x in desk.subscribers.running(subscriber_id) if x.replay_id != replay_id]:
        raise Refused(f"the replay {others[0].replay_id} is still running")
    types = tuple(said.types)
    new = Replay(subscriber_id, replay_id, said.start, said.end, now, actor, types)
    desk.subscribers.add_replay(new)
    desk.queue.nudge(subscriber_id, replay=replay_id)
    return desk.subscribers.replay(subscriber_id, replay_id)[0]


def _tested(new: Delivery, attempt: Attempt) -> Delivery:
    if verdict(attempt.status) is Verdict.ACCEPTED:
        return new.delivered(attempt)
    return new.failed(attempt, None)


def _check(desk: Desk, said: PutSubscriber) -> None:
    if why := why_no_address(said.url, desk.schemes):
        raise InvalidRequest([Fault("url", why)])


def _said(subscriber: Subscriber, said: PutSubscriber) -> Subscriber:
    return replace(
        subscriber,
        url=said.url,
        types=tuple(said.types),
        channels=tuple(said.channels),
        description=said.description,
        enabled=said.enabled,
    )


def _known(request: Request) -> Known:
    return desk().subscribers.get(request.path["subscriber_id"])


def _secrets(desk: Desk, subscriber_id: str) -> list[WebhookSecretView]:
    found = desk.secrets.infos(subscriber_id, desk.clock())
    return [WebhookSecretView(each.made_at, each.ends_at) for each in found]


def view(desk: Desk, known: Known, secret: str = "") -> SubscriberView:
    subscriber, health = known.subscriber, known.health
    return SubscriberView(
        subscriber_id=subscriber.subscriber_id,
        url=subscriber.url,
        types=list(subscriber.types),
        channels=list(subscriber.channels),
        description=subscriber.description,
        enabled=subscriber.enabled,
        created_at=subscriber.created_at,
        since=subscriber.since,
        why_disabled=subscriber.why_disabled,
        failures=health.failures,
        failing_since=health.failing_since,
        secrets=_secrets(desk, subscriber.subscriber_id),
        secret=secret,
    )


def delivery_view(delivery: Delivery) -> WebhookDeliveryView:
    waits = delivery.state is DeliveryState.WAITING
    return WebhookDeliveryView(
        delivery_id=delivery.delivery_id,
        webhook_id=delivery.message_id,
        event_id=delivery.event_id,
        type=delivery.type,
        status=delivery.state,
        at=delivery.at,
        since=delivery.since,
        due_at=delivery.due_at if waits else None,
        finished_at=delivery.finished_at,
        tries=delivery.tries,
        replay_id=delivery.replay,
        order_id=delivery.order_id,
        attempts=[attempt_view(each) for each in delivery.attempts],
    )


def attempt_view(attempt: Attempt) -> WebhookAttemptView:
    return WebhookAttemptView(
        attempt.at, attempt.status, attempt.milliseconds, attempt.error, attempt.excerpt
    )


def replay_view(replay: Replay) -> SubscriberReplayView:
    return SubscriberReplayView(
        replay_id=replay.replay_id,
        subscriber_id=replay.subscriber_id,
        status=replay.state,
        start=replay.start,
        end=replay.end,
        asked_at=replay.asked_at,
        actor=replay.actor,
        types=list(replay.types),
        queued=replay.queued,
        finished_at=replay.finished_at,
    )
