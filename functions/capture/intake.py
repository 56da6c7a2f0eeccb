"""What channels say becomes orders and changes of orders: each message once, none lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.capture.following import SHIPPED_THERE, Follower
from oms.adapters.channel_inbox import APPLIED, FAILED, ChannelInbox, Early, Kept, message_id
from oms.adapters.channel_inbox import channel_inbox as inbox_of_channels
from oms.adapters.channels.base import (
    Channel,
    Fetch,
    Fulfilled,
    Ignored,
    Message,
    Placed,
    Updated,
    What,
    named,
)
from oms.adapters.fetch_queue import Errand, FetchQueue, fetch_queue
from oms.adapters.heard_table import heard_table
from oms.adapters.hold_rules import hold_rules
from oms.adapters.http_api import Problem
from oms.adapters.items_table import items_table
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.placing import Desk
from oms.adapters.secrets import secrets
from oms.adapters.shops_table import ShopsTable, shops_table
from oms.adapters.unmapped_skus import mapped
from oms.adapters.vault import vault
from oms.adapters.webhooks import Call
from oms.contracts.api.orders import ChannelOrder
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.currencies import NotAnAmount
from oms.domain.errors import Conflict, Contended, NotFound, OmsError
from oms.domain.holds import NewHold
from oms.domain.ids import order_id_of
from oms.domain.order import Order
from oms.domain.shops import Told
from oms.observability import describe, logger

NEEDS: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "CHANNELS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
    "FETCH_QUEUE",
)
ACCEPTED, DUPLICATE, IGNORED = "accepted", "duplicate", "ignored"
TOPICS = ("-topic", "-event")  # what the names of headers with the sender's topic end with
MAX_TOPIC = 100
# Their adapters mark refunds that we ask for, and do not read them as news.
MARKING = frozenset({"shopify", "woocommerce", "magento", "bigcommerce"})


@dataclass(frozen=True, slots=True)
class Done:
    """`outcome` as in Received; `why` it was ignored."""

    outcome: str
    order_id: str = ""
    why: str = ""


class NotUnderstood(OmsError):
    """It is kept as `message_id`, or not at all where that is empty; `error` says why."""

    def __init__(self, error: Exception, message_id: str, reason: str) -> None:
        super().__init__(reason)
        self.error, self.message_id, self.reason = error, message_id, reason


@dataclass(frozen=True, slots=True)
class Intake:
    desk: Desk
    orders: OrdersTable
    follower: Follower
    inbox: ChannelInbox
    shops: ShopsTable
    queue: FetchQueue

    def take(self, channel: Channel, call: Call, at: datetime) -> Done:
        """What a sender that is believed has said. Raises NotUnderstood."""
        name = channel.code
        try:
            name = named(channel.code, channel.shop(call))
            message = channel.read(call)
        except Exception as error:  # also what an adapter did not expect is kept, and read again
            raise self._kept(_as_kept(name, call, at), error) from error
        kept = _as_kept(name, call, at)
        identity = message_id(name, message.message_id, call.body)
        known = self.inbox.known(identity, kept.message_id)
        if (before := known.get(identity)) and before.state == APPLIED and _is_once(message):
            return Done(DUPLICATE, before.order_id)
        try:
            done = self.apply_all(message.said, at)
        except Contended:
            raise
        except OmsError as error:
            raise self._kept(kept, error) from error
        self._end(identity, done, name, known, at)
        return done

    def _end(
        self, identity: str, done: Done, name: str, known: Mapping[str, Kept], at: datetime
    ) -> None:
        """It was done: told again it is a duplicate, and what was kept of it is gone."""
        ended = [each.message_id for each in known.values() if each.state == FAILED]
        for each in {identity, *ended} if done.outcome != IGNORED else ended:
            self.inbox.applied(each, name, done.order_id, at)

    def apply_all(self, said: Sequence[What], at: datetime) -> Done:
        """Accepted where one of them changes something."""
        done = [self.apply(each, at, said) for each in said]
        for outcome in (ACCEPTED, DUPLICATE, IGNORED):
            if found := [each for each in done if each.outcome == outcome]:
                return found[0]
        return Done(IGNORED, why="it says nothing")

    def apply(self, said: What, at: datetime, told: Sequence[What] = ()) -> Done:
        """The same again changes nothing. `told` is all that is said with it."""
        if isinstance(said, Ignored):
            return Done(IGNORED, why=said.why)
        if isinstance(said, Fetch):
            self.queue.send(Errand(said, at))
            return Done(ACCEPTED, order_id_of(said.channel, said.external_id))
        if isinstance(said, Placed | Updated):
            return self._order(said, at, told)
        return self._told(said, at)

    def failed_to_fetch(self, asked: Fetch, at: datetime, reason: str) -> Kept:
        """Kept until somebody has seen to it, and asks again."""
        identity = message_id(asked.channel, f"fetch:{asked.what}:{asked.external_id}")
        order_id = order_id_of(asked.channel, asked.external_id)
        topic = asked.what[:MAX_TOPIC]
        kept = Kept(identity, asked.channel, FAILED, at, reason, topic, order_id, fetch=asked)
        self.inbox.failed(kept)
        return kept

    def _order(self, said: Placed | Updated, at: datetime, told: Sequence[What]) -> Done:
        order = mapped(said.order, self.shops)
        order_id = order_id_of(order.channel, order.external_id)
        actor = f"channel:{order.channel}"
        holds = _shipped_there(order, told)
        new = self._find(order_id) is None and self._place(order, said, at, actor, holds)
        changed = False
        if isinstance(said, Updated) and not new:
            changed = self.follower.follow(order_id, Updated(order, said.at), at, actor)
        for early in self.inbox.early(order_id):
            changed = self.follower.follow(order_id, early, at, actor) or changed
            self.inbox.drop_early(order_id, early)
        return Done(ACCEPTED if new or changed else DUPLICATE, order_id)

    def _place(
        self,
        order: ChannelOrder,
        said: Placed | Updated,
        at: datetime,
        actor: str,
        holds: Sequence[NewHold],
    ) -> bool:
        """A channel sells what it sells: an unknown SKU waits for its stock, it is not refused."""
        order_id = order_id_of(order.channel, order.external_id)
        there = said.at if isinstance(said, Updated) else None
        heard = self.follower.begun(order, order_id, there)
        beside = [self.follower.heard.write(order_id, heard, at)]
        try:
            return self.desk.place(
                order, at=at, actor=actor, request_key=None, beside=beside, holds=holds
            )[1]
        except Conflict:  # another body of it was faster
            return False

    def _told(self, said: Early, at: datetime) -> Done:
        """What comes before its order is kept; then it is looked for again, as it may have been
        placed meanwhile, by somebody who did not see what was kept."""
        order_id = order_id_of(said.channel, said.external_id)
        actor = f"channel:{said.channel}"
        if self._find(order_id) is None:
            self.inbox.keep_early(order_id, said, at)
            if self._find(order_id) is None:
                return Done(ACCEPTED, order_id)
            self.inbox.drop_early(order_id, said)
        changed = self.follower.follow(order_id, said, at, actor)
        return Done(ACCEPTED if changed else DUPLICATE, order_id)

    def _find(self, order_id: str) -> Order | None:
        try:
            return self.orders.get(order_id)
        except NotFound:
            return None

    def _kept(self, kept: Kept, error: Exception) -> NotUnderstood:
        """What is no JSON at all is nobody's order: of that only the answer tells."""
        reason = reason_of(error)
        if not isinstance(error, OmsError | InvalidRequest | NotAnAmount):
            logger().error("not understood", extra={"channel": kept.name} | describe(error))
        if kept.call is None or not _is_json(kept.call.body):
            return NotUnderstood(error, "", reason)
        topic = topic_of(kept.call)
        full = Kept(kept.message_id, kept.name, FAILED, kept.at, reason, topic, call=kept.call)
        self.inbox.failed(full)
        return NotUnderstood(error, kept.message_id, reason)


def _shipped_there(order: ChannelOrder, told: Sequence[What]) -> tuple[NewHold, ...]:
    """Nobody routes what has been shipped before we heard of it: it waits until that is noted."""
    name = (order.channel, order.external_id)
    shipped = (x for x in told if isinstance(x, Fulfilled))
    if not any((x.channel, x.external_id) == name for x in shipped):
        return ()
    return (NewHold(SHIPPED_THERE, "its channel says that it was shipped"),)


def intake() -> Intake:
    orders, items, known = orders_table(with_stock=True), items_table(), secrets()
    return Intake(
        desk=Desk(
            orders,
            known.customer_id,
            vault().contact_write,
            resolve=items.resolve,
            rules=hold_rules(),
        ),
        orders=orders,
        follower=Follower(
            orders,
            heard_table(),
            vault().contact_write,
            items.resolve,
            known.digest,
            hears_of_refunds,
        ),
        inbox=inbox_of_channels(),
        shops=shops_table(),
        queue=fetch_queue(),
    )


def hears_of_refunds(channel: str) -> bool:
    """Where they are marked as ours: elsewhere a person gives them back there, and we hear it."""
    shop = shops_table().find(channel)
    return shop is not None and Told.REFUNDS in shop.told and shop.channel in MARKING


def problem_of(refused: NotUnderstood) -> Problem:
    """As without keeping it, and where it is kept."""
    kept = f"kept as {refused.message_id}" if refused.message_id else "it is not kept: no JSON"
    error = refused.error
    faults: Iterable[Fault] = error.faults if isinstance(error, InvalidRequest) else ()
    title = "Invalid request" if faults else "Refused"
    return Problem(422, title, f"{refused.reason}; {kept}", faults)


def reason_of(error: Exception) -> str:
    """Nothing of what was sent: a surprise may quote it."""
    if isinstance(error, InvalidRequest):
        named = ", ".join(f"{each.field} {each.reason}" for each in error.faults[:5])
        return f"{len(error.faults)} of its fields are refused: {named}"
    if isinstance(error, OmsError | NotAnAmount):
        return str(error)
    return f"it could not be read: {type(error).__name__}"


def _as_kept(name: str, call: Call, at: datetime) -> Kept:
    return Kept(message_id(name, "", call.body), name, FAILED, at, call=call)


def topic_of(call: Call) -> str:
    found = (value for name, value in sorted(call.headers.items()) if name.endswith(TOPICS))
    return next(found, "")[:MAX_TOPIC]


def _is_once(message: Message) -> bool:
    """Bodies that only name an order are the same each time that it changes."""
    return bool(message.message_id) or not any(isinstance(x, Fetch) for x in message.said)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
