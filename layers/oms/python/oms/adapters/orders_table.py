"""Orders: one item collection each, written with their events, all or nothing.

ORDER#<id> / ORDER             the snapshot, and the GSI keys of the order
ORDER#<id> / EVENT#<seq>       the history and outbox; `wake`: waits that it ends
ORDER#<id> / FO#<id>           where a fulfillment order is found by its location
ORDER#<id> / WAIT#<wait>       the task token of the workflow that waits; of a return's workflow:
                               WAIT#<return id>#<wait>
REQUEST#<key> / REQUEST        the idempotency key of a placement
TRACKING#<carrier>#<number>    which fulfillment order, or return, a parcel belongs to
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial

from oms.adapters import dynamodb as db
from oms.adapters.attention import attention_writes
from oms.adapters.capacity_slots import CapacitySlots, capacity_slots
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.order_reader import OrderReader
from oms.adapters.order_rows import (
    ABSENT,
    DECISION,
    INSTRUMENTS,
    event_item,
    instant,
    open_shard,
    order_key,
    order_pk,
    snapshot,
    tracking_pk,
    wait_key,
)
from oms.adapters.stock_table import StockTable, stock_table
from oms.contracts import codec
from oms.domain import events as e
from oms.domain.commands import Command
from oms.domain.decide import decide, facts
from oms.domain.errors import Conflict, Contended, NotFound, OmsError, Refused
from oms.domain.fulfillment import FulfillmentOrder
from oms.domain.ids import order_of_return
from oms.domain.inventory import MovementKind, StockChange
from oms.domain.network.capacity import CapacityChange
from oms.domain.order import Fact, Order, apply, awaited_items, capacity_changes, moves_at_once
from oms.domain.promising.standing import news, standing
from oms.domain.returns import waits as returns
from oms.domain.returns.waits import ReturnWait
from oms.domain.waits import Wait, has_business, is_awaited, outcome
from oms.settings import setting

ATTEMPTS = 8
NO_LIMIT = 10**9  # units a day


class StaleOrder(OmsError):
    """Somebody wrote the order since it was read; read it again."""


@dataclass(frozen=True, slots=True)
class OnceKey:
    """A caller's Idempotency-Key, hashed, and the hash of what was asked under it."""

    key: str
    fingerprint: str


def once_key(subject: str, idempotency_key: str | None, body: object) -> OnceKey | None:
    """The same key for another subject is another key."""
    if idempotency_key is None:
        return None
    digest = hashlib.sha256(f"{subject}\x1f{idempotency_key}".encode()).hexdigest()
    return OnceKey(digest, fingerprint_of(body))


Taking = Callable[[StockChange], Sequence[Write]]  # how the units of a routed order are taken


@dataclass(frozen=True, slots=True)
class Beside:
    """What is written with a change of an order, beside what follows from it.

    `taking`: instead of the plain allocation of a routed order. `decision`: kept with its first
    event, for whoever asks why. `writes`: anything else that must hold or happen with it. `limits`:
    the units that a location ships on one day, by location; what is taken of a ship day is counted
    without one too, so that whatever is given back was taken. `instruments`: tokens of the
    authorizations that the change asks for, by operation. `turn`: what only one request may take,
    whatever its own key is.
    """

    taking: Taking | None = None
    decision: bytes = b""
    writes: tuple[Write, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)
    turn: OnceKey | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """What is kept with a new order beside its facts.

    `fingerprint` is the hash of the request's body; `instruments` are the providers'
    payment tokens by operation, kept out of the events and removed once they were used.
    """

    fingerprint: str
    once: OnceKey | None = None
    instruments: Mapping[str, str] = field(default_factory=dict)


class OrdersTable(OrderReader):
    def __init__(
        self,
        client: DynamoDB,
        table: str,
        stock: StockTable | None = None,
        capacity: CapacitySlots | None = None,
    ) -> None:
        super().__init__(client, table)
        self._stock, self._capacity = stock, capacity

    def place(
        self,
        order_id: str,
        recorded: Sequence[Fact],
        order: Order,
        placement: Placement,
        extra: Sequence[Write] = (),
    ) -> None:
        """Store a new order in one transaction; `AlreadyPlaced` when it or its key is there."""
        writes = [
            self._insertion(order, placement),
            *self._once(order_id, placement.once),
            *self._event_writes(order_id, None, order, recorded),
            *extra,
        ]
        db.transact(self._client, writes)

    def change(
        self,
        order_id: str,
        command: Command,
        *,
        at: datetime,
        actor: str,
        seen: Order | None = None,
        once: OnceKey | None = None,
        beside: Beside | None = None,
    ) -> Order:
        """Decide on the newest order and store what follows; again, if it was changed meanwhile.

        One transaction: the snapshot, its events, the stock they move, the rows they are found by.
        The first look may be at an old copy (`seen`, or a read at half the price): the write is
        conditional, and only a fresh look may refuse or find nothing to do.
        """
        if once is not None and self._was_done(order_id, once):
            return self.get(order_id)
        save = partial(self._save, at=at, actor=actor, once=once, beside=beside or Beside())
        with suppress(Refused, NotFound, StaleOrder):
            order = seen or self.glance(order_id)
            if decided := decide(command, order):
                return save(order, decided)
        return self._change_fresh(order_id, command, save)

    def _change_fresh(
        self, order_id: str, command: Command, save: Callable[[Order, Sequence[e.Event]], Order]
    ) -> Order:
        for attempt in range(ATTEMPTS):
            order = self.get(order_id)
            decided = decide(command, order)
            if not decided:
                return order
            try:
                return save(order, decided)
            except StaleOrder:
                time.sleep(db.full_jitter(attempt))
        raise Contended(f"order {order_id} is written by others all the time")

    def _was_done(self, order_id: str, once: OnceKey) -> bool:
        """Whether the same was asked under this key before; `Conflict` if it was something else."""
        item = self._item(_request_key(once))
        if item is None:
            return False
        if isinstance(error := _key_used(order_id, once.fingerprint, item), Conflict):
            raise error
        return True

    def _save(
        self,
        before: Order,
        decided: Sequence[e.Event],
        at: datetime,
        actor: str,
        once: OnceKey | None,
        beside: Beside,
    ) -> Order:
        recorded, after = facts(before.order_id, before, decided, at, actor)
        writes = [
            self._update(before, after, beside.instruments),
            *self._event_writes(before.order_id, before, after, recorded, beside.decision),
            *self._found_by(before, after, at),
            *self._queue_writes(before, after),
            *attention_writes(self._table, before, after, at),
            *self._stock_writes(before, recorded, beside.taking),
            *self._capacity_writes(before, recorded, beside.limits),
            *beside.writes,
            *self._once(before.order_id, once),
            *self._once(before.order_id, beside.turn),
        ]
        try:
            db.transact(self._client, writes)
        except AlreadyPlaced:  # the same request, at the same time, was faster
            return self.get(before.order_id)
        return after

    def _insertion(self, order: Order, placement: Placement) -> Write:
        item = {
            **order_key(order.order_id),
            **snapshot(order),
            "GSI1PK": db.s(f"CUSTOMER#{order.customer_id}"),
            "GSI2PK": db.s(f"DAY#{order.placed_at:%Y-%m-%d}"),
            "GSI3PK": db.s(open_shard(order.order_id)),
            "at": db.s(instant(order.placed_at)),
            "fingerprint": db.s(placement.fingerprint),
        }
        if placement.instruments:
            item[INSTRUMENTS] = db.s(json.dumps(dict(placement.instruments)))
        put = {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}
        refusal = partial(_already_placed, order.order_id, placement.fingerprint)
        return Write({"Put": put}, refusal)

    def _once(self, order_id: str, once: OnceKey | None) -> tuple[Write, ...]:
        if once is None:
            return ()
        item = {
            **_request_key(once),
            "order_id": db.s(order_id),
            "fingerprint": db.s(once.fingerprint),
        }
        put = {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}
        return (Write({"Put": put}, partial(_key_used, order_id, once.fingerprint)),)

    def _update(self, before: Order, after: Order, instruments: Mapping[str, str]) -> Write:
        names, values = {"#v": "version", "#b": "body"}, {":v": db.n(before.version)}
        values |= {":after": db.n(after.version), ":body": db.pack(codec.encode(after))}
        assign, remove = ["#v = :after", "#b = :body"], []
        if has_business(after) and not has_business(before):
            assign.append("GSI3PK = :open")
            values[":open"] = db.s(open_shard(after.order_id))
        elif has_business(before) and not has_business(after):
            remove.append("GSI3PK")
        if instruments:
            assign.append(f"{INSTRUMENTS} = :i")
            values[":i"] = db.s(json.dumps(dict(instruments)))
        elif _used_up(before, after):
            remove.append(INSTRUMENTS)
        expression = "SET " + ", ".join(assign) + (" REMOVE " + ", ".join(remove) if remove else "")
        update = {
            "TableName": self._table,
            "Key": order_key(after.order_id),
            "UpdateExpression": expression,
            "ConditionExpression": "#v = :v",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return Write({"Update": update}, lambda _: StaleOrder(after.order_id))

    def _event_writes(
        self,
        order_id: str,
        before: Order | None,
        after: Order,
        recorded: Sequence[Fact],
        decision: bytes = b"",
    ) -> Iterator[Write]:
        for fact in recorded:
            item = event_item(order_id, fact)
            if decision and fact is recorded[0]:
                item |= {DECISION: db.deflate(decision)}
            if fact is recorded[-1]:
                item |= _consequences(before, after, fact.at)
            put = {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}
            yield Write({"Put": put}, lambda _: StaleOrder(order_id))

    def _found_by(self, before: Order, after: Order, at: datetime) -> Iterator[Write]:
        """Rows by which fulfillment orders and parcels are found."""
        known = {each.fulfillment_order_id: each for each in before.fulfillment_orders}
        for each in after.fulfillment_orders:
            old = known.get(each.fulfillment_order_id)
            if old is None:
                yield self._fulfillment_row(after.order_id, each, at)
            elif old != each:
                yield from self._work_row(after, old, each)
            for parcel in each.parcels if old is None or not old.parcels else ():
                yield self._parcel_row(
                    each.fulfillment_order_id, parcel.carrier, parcel.tracking_number
                )
        yield from self._return_parcels(before, after)

    def _return_parcels(self, before: Order, after: Order) -> Iterator[Write]:
        """What was put on its way back since."""
        had, have = (
            {
                (each.return_id, parcel.carrier, parcel.tracking_number)
                for each in order.returns
                for parcel in each.parcels
            }
            for order in (before, after)
        )
        yield from (self._parcel_row(*parcel) for parcel in sorted(have - had))

    def _fulfillment_row(self, order_id: str, new: FulfillmentOrder, at: datetime) -> Write:
        item = {
            **db.key(order_pk(order_id), f"FO#{new.fulfillment_order_id}"),
            "GSI1PK": db.s(f"LOCATION#{new.location_id}"),
            **({"GSI3PK": db.s(f"WORK#{new.location_id}")} if new.is_under_way else {}),
            "at": db.s(instant(at)),
        }
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def _work_row(
        self, order: Order, old: FulfillmentOrder, new: FulfillmentOrder
    ) -> Iterator[Write]:
        """Out of one location's work and, if a store has to hand it over, into the other's."""
        place = new.worked_on_at(order.pickup_location)
        if place == old.worked_on_at(order.pickup_location):
            return
        values = {":work": db.s(f"WORK#{place}")} if place else {}
        update = {
            "TableName": self._table,
            "Key": db.key(order_pk(order.order_id), f"FO#{new.fulfillment_order_id}"),
            "UpdateExpression": "SET GSI3PK = :work" if place else "REMOVE GSI3PK",
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        yield Write({"Update": update})

    def _parcel_row(self, identity: str, carrier: str, tracking_number: str) -> Write:
        item = db.key(tracking_pk(carrier, tracking_number), identity)
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def _stock_writes(
        self, before: Order, recorded: Sequence[Fact], taking: Taking | None
    ) -> Iterator[Write]:
        """What fits moves with the order; the rest is owed by it and settled in batches."""
        order = before
        for fact in recorded:
            if change := moves_at_once(order, fact):
                allocates = taking if change.kind is MovementKind.ALLOCATED else None
                yield from (allocates or self._stock_table.writes)(change)
            order = apply(order.order_id, order, fact)

    def _capacity_writes(
        self, before: Order, recorded: Sequence[Fact], limits: Mapping[str, int]
    ) -> list[Write]:
        """Whatever the facts take of ship days, or give back: nobody else writes it."""
        order, changes = before, list[CapacityChange]()
        for fact in recorded:
            changes += capacity_changes(order, fact)
            order = apply(order.order_id, order, fact)
        if not changes:
            return []
        counted = {each.location_id: limits.get(each.location_id, NO_LIMIT) for each in changes}
        if self._capacity is None:
            raise TypeError("this function may not take capacity")
        return self._capacity.writes(changes, counted)

    def _queue_writes(self, before: Order, after: Order) -> list[Write]:
        """Who lacks stock stands in line for it until it is routed or cancelled: an order that is
        tried again keeps its place."""
        had, have = set(awaited_items(before)), set(awaited_items(after))
        if had == have:
            return []
        joined = self._stock_table.wait_writes(after.order_id, after.placed_at, have - had)
        left = self._stock_table.unwait_writes(after.order_id, after.placed_at, had - have)
        return [*joined, *left]

    @property
    def _stock_table(self) -> StockTable:
        if self._stock is None:
            raise TypeError("this function may not move stock")
        return self._stock

    def keep_token(
        self, order_id: str, wait: Wait, token: str, at: datetime | None = None
    ) -> str | None:
        """Keep the token of a workflow that waits; the wait's outcome if it has ended by then."""
        return outcome(self._with_token(order_id, wait, token), wait, at)

    def keep_return_token(self, return_id: str, wait: ReturnWait, token: str) -> str | None:
        """Likewise, of the workflow of a return."""
        name = returns.token_name(return_id, wait)
        order = self._with_token(order_of_return(return_id), name, token)
        return returns.outcome(order, return_id, wait)

    def _with_token(self, order_id: str, name: str, token: str) -> Order:
        """The order as it is when the token is kept.

        The token is stored before the order is read: what ends the wait later finds the token,
        what ended it before is seen here. Both may happen; a second answer is ignored.
        """
        item = {**wait_key(order_id, name), "token": db.s(token)}
        self._client.put_item(TableName=self._table, Item=item)
        return self.get(order_id)


class AlreadyPlaced(OmsError):
    """The same order was placed before, with the same body."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"{order_id} was placed before")
        self.order_id = order_id


def fingerprint_of(document: object) -> str:
    """Equal for equal JSON, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def orders_table(*, with_stock: bool = False) -> OrdersTable:
    beside = (stock_table(), capacity_slots()) if with_stock else ()
    return OrdersTable(db.client(), setting("ORDERS_TABLE"), *beside)


def _already_placed(order_id: str, fingerprint: str, old: Item | None) -> Exception:
    if old is not None and db.text(old, "fingerprint") != fingerprint:
        return Conflict(f"{order_id} was placed before with another body")
    return AlreadyPlaced(order_id)


def _key_used(order_id: str, fingerprint: str, old: Item | None) -> Exception:
    if old is None or db.text(old, "fingerprint") == fingerprint:
        return AlreadyPlaced(order_id if old is None else db.text(old, "order_id"))
    return Conflict("this Idempotency-Key was used before with another body")


def _ended(before: Order | None, after: Order) -> dict[str, str]:
    """Waits that the change has ended, with their outcomes; nobody waits for a new order yet."""
    if before is None:
        return {}
    ended = ((wait, outcome(after, wait)) for wait in Wait if is_awaited(before, wait))
    of_the_order = {wait.value: now for wait, now in ended if now is not None}
    return {**of_the_order, **returns.ended(before, after)}


def _consequences(before: Order | None, after: Order, at: datetime) -> Item:
    """What the publisher must know beside the event: waits that ended, stock that is owed, and that
    its customer should be told another day, unless somebody can help."""
    ended, owed = _ended(before, after), set(before.owed_stock if before else ())
    told: Item = {"wake": db.s(json.dumps(ended))} if ended else {}
    told |= {"owes_stock": db.flag(True)} if set(after.owed_stock) - owed else {}
    return told | ({"at_risk": db.flag(True)} if news(after, standing(after, at)) else {})


def _used_up(before: Order, after: Order) -> bool:
    """No authorization waits for an answer any more, or nobody for the order."""
    waits = any(not each.settled for each in after.payment.authorizations)
    waited = any(not each.settled for each in before.payment.authorizations)
    return (waited and not waits) or not has_business(after)


def _request_key(once: OnceKey) -> Item:
    return db.key(f"REQUEST#{once.key}", "REQUEST")
