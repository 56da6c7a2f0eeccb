"""Orders: one item collection each, written with their events, all or nothing.

ORDER#<id> / ORDER             the snapshot, and the GSI keys of the order
ORDER#<id> / EVENT#<seq>       the history and outbox; `wake`: waits that it ends
ORDER#<id> / FO#<id>           where a fulfillment order is found by its location
ORDER#<id> / WAIT#<wait>       the task token of the workflow that waits
REQUEST#<key> / REQUEST        the idempotency key of a placement
TRACKING#<carrier>#<number>    which fulfillment order a parcel belongs to
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.attention import attention_writes
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.stock_table import StockTable, stock_table
from oms.contracts import codec, events
from oms.contracts.cursors import BadCursor
from oms.domain import events as e
from oms.domain.commands import Command
from oms.domain.decide import decide, facts, order_id_of_fulfillment
from oms.domain.errors import Conflict, Contended, NotFound, OmsError, Refused
from oms.domain.inventory import MAX_ITEMS_PER_TRANSACTION
from oms.domain.order import Fact, Order, apply, stock_change
from oms.domain.waits import Wait, has_business, is_awaited, outcome
from oms.settings import setting

OPEN_SHARDS = 10
ATTEMPTS = 8
MAX_QUEUES = 8


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


@dataclass(frozen=True, slots=True)
class Placement:
    """What is kept with a new order beside its facts.

    `fingerprint` is the hash of the request's body; `instrument` is the provider's payment
    token, kept out of the events and removed once it was used.
    """

    fingerprint: str
    once: OnceKey | None = None
    instrument: str = ""


@dataclass(frozen=True, slots=True)
class EventPage:
    facts: tuple[Fact, ...]
    last_seq: int | None


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Keys found by an index, and where to go on; None at the end."""

    keys: tuple[tuple[str, str], ...]
    start: dict[str, Any] | None


class OrdersTable:
    def __init__(self, client: DynamoDB, table: str, stock: StockTable | None = None) -> None:
        self._client = client
        self._table = table
        self._stock = stock

    # --- writing -------------------------------------------------------------------------------

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
    ) -> Order:
        """Decide on the newest order and store what follows; again, if it was changed meanwhile.

        One transaction: the snapshot, its events, the stock they move, the rows they are found by.
        The first look may be at an old copy (`seen`, or a read at half the price): the write is
        conditional, and only a fresh look may refuse or find nothing to do.
        """
        if once is not None and self._was_done(order_id, once):
            return self.get(order_id)
        save = partial(self._save, at=at, actor=actor, once=once)
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
    ) -> Order:
        recorded, after = facts(before.order_id, before, decided, at, actor)
        writes = [
            self._update(before, after),
            *self._event_writes(before.order_id, before, after, recorded),
            *self._found_by(before, after, at),
            *self._queue_writes(before, after),
            *attention_writes(self._table, before, after, at),
            *self._stock_writes(before, recorded),
            *self._once(before.order_id, once),
        ]
        try:
            db.transact(self._client, writes)
        except AlreadyPlaced:  # the same request, at the same time, was faster
            return self.get(before.order_id)
        return after

    def _insertion(self, order: Order, placement: Placement) -> Write:
        item = {
            **_order_key(order.order_id),
            **_snapshot(order),
            "GSI1PK": db.s(f"CUSTOMER#{order.customer_id}"),
            "GSI2PK": db.s(f"DAY#{order.placed_at:%Y-%m-%d}"),
            "GSI3PK": db.s(_open_shard(order.order_id)),
            "at": db.s(_instant(order.placed_at)),
            "fingerprint": db.s(placement.fingerprint),
        }
        if placement.instrument:
            item["instrument"] = db.s(placement.instrument)
        put = {"TableName": self._table, "Item": item, "ConditionExpression": _ABSENT}
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
        put = {"TableName": self._table, "Item": item, "ConditionExpression": _ABSENT}
        return (Write({"Put": put}, partial(_key_used, order_id, once.fingerprint)),)

    def _update(self, before: Order, after: Order) -> Write:
        names, values = {"#v": "version", "#b": "body"}, {":v": db.n(before.version)}
        values |= {":after": db.n(after.version), ":body": db.pack(codec.encode(after))}
        assign, remove = ["#v = :after", "#b = :body"], []
        if has_business(after) and not has_business(before):
            assign.append("GSI3PK = :open")
            values[":open"] = db.s(_open_shard(after.order_id))
        elif has_business(before) and not has_business(after):
            remove.append("GSI3PK")
        if after.payment.authorized > before.payment.authorized:
            remove.append("instrument")
        expression = "SET " + ", ".join(assign) + (" REMOVE " + ", ".join(remove) if remove else "")
        update = {
            "TableName": self._table,
            "Key": _order_key(after.order_id),
            "UpdateExpression": expression,
            "ConditionExpression": "#v = :v",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return Write({"Update": update}, lambda _: StaleOrder(after.order_id))

    def _event_writes(
        self, order_id: str, before: Order | None, after: Order, recorded: Sequence[Fact]
    ) -> Iterator[Write]:
        for fact in recorded:
            item = _event_item(order_id, fact)
            if fact is recorded[-1]:
                item |= _consequences(before, after)
            put = {"TableName": self._table, "Item": item, "ConditionExpression": _ABSENT}
            yield Write({"Put": put}, lambda _: StaleOrder(order_id))

    def _found_by(self, before: Order, after: Order, at: datetime) -> Iterator[Write]:
        """Rows by which fulfillment orders and parcels are found."""
        known = {each.fulfillment_order_id: each for each in before.fulfillment_orders}
        for each in after.fulfillment_orders:
            old = known.get(each.fulfillment_order_id)
            if old is None:
                yield self._fulfillment_row(
                    after.order_id, each.fulfillment_order_id, each.location_id, at
                )
            elif old.in_warehouse and not each.in_warehouse:
                yield self._out_of_warehouse(after.order_id, each.fulfillment_order_id)
            for parcel in each.parcels if old is None or not old.parcels else ():
                yield self._parcel_row(
                    each.fulfillment_order_id, parcel.carrier, parcel.tracking_number
                )

    def _fulfillment_row(self, order_id: str, identity: str, location: str, at: datetime) -> Write:
        item = {
            **db.key(_order_pk(order_id), f"FO#{identity}"),
            "GSI1PK": db.s(f"LOCATION#{location}"),
            "GSI3PK": db.s(f"WORK#{location}"),
            "at": db.s(_instant(at)),
        }
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def _out_of_warehouse(self, order_id: str, identity: str) -> Write:
        update = {
            "TableName": self._table,
            "Key": db.key(_order_pk(order_id), f"FO#{identity}"),
            "UpdateExpression": "REMOVE GSI3PK",
        }
        return Write({"Update": update})

    def _parcel_row(self, identity: str, carrier: str, tracking_number: str) -> Write:
        item = db.key(_tracking_pk(carrier, tracking_number), identity)
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def _stock_writes(self, before: Order, recorded: Sequence[Fact]) -> Iterator[Write]:
        """What fits moves with the order; the rest is owed by it and settled in batches."""
        order = before
        for fact in recorded:
            change = stock_change(order, fact)
            if change is not None and len(change.items) <= MAX_ITEMS_PER_TRANSACTION:
                yield from self._stock_table.writes(change)
            order = apply(order.order_id, order, fact)

    def _queue_writes(self, before: Order, after: Order) -> list[Write]:
        """Backordered lines stand in line for their SKUs until they are released or cancelled."""
        had, have = _short_skus(before), _short_skus(after)
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

    def keep_token(self, order_id: str, wait: Wait, token: str) -> str | None:
        """Keep the token of a workflow that waits; the wait's outcome if it has ended already.

        The token is stored before the order is read: what ends the wait later finds the token,
        what ended it before is seen here. Both may happen; a second answer is ignored.
        """
        item = {**_wait_key(order_id, wait), "token": db.s(token)}
        self._client.put_item(TableName=self._table, Item=item)
        return outcome(self.get(order_id), wait)

    def token(self, order_id: str, wait: Wait) -> str | None:
        item = self._item(_wait_key(order_id, wait))
        return None if item is None else db.text(item, "token")

    # --- reading -------------------------------------------------------------------------------

    def get(self, order_id: str) -> Order:
        return _order(self._row(order_id))

    def glance(self, order_id: str) -> Order:
        """Perhaps a moment old, at half the price: to show it, or where the write will check."""
        return _order(self._row(order_id, consistent=False))

    def with_instrument(self, order_id: str) -> tuple[Order, str]:
        """The order and its payment token; empty once it was used."""
        row = self._row(order_id)
        return _order(row), db.text(row, "instrument") if "instrument" in row else ""

    def fingerprint(self, order_id: str) -> str:
        return db.text(self._row(order_id), "fingerprint")

    def many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        keys = [_order_key(order_id) for order_id in dict.fromkeys(order_ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {order.order_id: order for order in map(_order, rows)}

    def history(self, order_id: str, after: int = 0, limit: int = 100) -> EventPage:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :from AND :to",
            ExpressionAttributeValues={
                ":pk": db.s(_order_pk(order_id)),
                ":from": db.s(_event_sk(after + 1)),
                ":to": db.s("EVENT#999999"),
            },
            ConsistentRead=True,
            Limit=limit,
        )
        page = tuple(fact_of(item) for item in answer["Items"])
        more = "LastEvaluatedKey" in answer
        return EventPage(page, page[-1].seq if more else None)

    def whole_history(self, order_id: str) -> tuple[Fact, ...]:
        found: tuple[Fact, ...] = ()
        after: int | None = 0
        while after is not None:
            page = self.history(order_id, after)
            found, after = (*found, *page.facts), page.last_seq
        return found

    def by_customer(self, customer_id: str, **how: Any) -> KeyPage:
        return self._index("GSI1", f"CUSTOMER#{customer_id}", **how)

    def by_day(self, day: date, **how: Any) -> KeyPage:
        return self._index("GSI2", f"DAY#{day:%Y-%m-%d}", **how)

    def by_location(self, location_id: str, *, in_warehouse: bool, **how: Any) -> KeyPage:
        """Fulfillment orders of a location, newest first; or only those still to be shipped."""
        if in_warehouse:
            return self._index("GSI3", f"WORK#{location_id}", **how)
        return self._index("GSI1", f"LOCATION#{location_id}", **how)

    def open_orders(self, before: datetime) -> Iterator[str]:
        """Orders placed before the instant that have business left, in bounded memory."""
        for shard in range(OPEN_SHARDS):
            start: dict[str, Any] | None = None
            while True:
                page = self._index(
                    "GSI3", f"OPEN#{shard}", until=before, start=start, newest_first=False
                )
                yield from (pk.removeprefix("ORDER#") for pk, _ in page.keys)
                if (start := page.start) is None:
                    break

    def all_orders(self) -> Iterator[Order]:
        """Every order, by a scan in bounded memory; for the books, not for pages."""
        rows = db.scan(
            self._client,
            TableName=self._table,
            FilterExpression="SK = :order",
            ExpressionAttributeValues={":order": db.s("ORDER")},
        )
        return map(_order, rows)

    def parcels(self, carrier: str, tracking_number: str) -> tuple[str, ...]:
        """Fulfillment orders that shipped under this number; carriers use a number again."""
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(_tracking_pk(carrier, tracking_number))},
        )
        return tuple(db.text(row, "SK") for row in rows)

    def _index(
        self,
        index: str,
        partition: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        start: dict[str, Any] | None = None,
        limit: int = 50,
        newest_first: bool = True,
    ) -> KeyPage:
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": f"{index}PK = :pk AND #at BETWEEN :since AND :until",
            "ExpressionAttributeNames": {"#at": "at"},
            "ExpressionAttributeValues": {
                ":pk": db.s(partition),
                ":since": db.s(_instant(since) if since else "0"),
                ":until": db.s(_instant(until) if until else "9"),
            },
            "ScanIndexForward": not newest_first,
            "Limit": limit,
        }
        answer = self._page(request, start)
        keys = tuple((db.text(item, "PK"), db.text(item, "SK")) for item in answer["Items"])
        return KeyPage(keys, answer.get("LastEvaluatedKey"))

    def _page(self, request: dict[str, Any], start: dict[str, Any] | None) -> dict[str, Any]:
        if start is None:
            return self._client.query(**request)
        try:
            return self._client.query(**request, ExclusiveStartKey=start)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                raise BadCursor from error  # a cursor of another listing
            raise

    def _row(self, order_id: str, *, consistent: bool = True) -> Item:
        item = self._item(_order_key(order_id), consistent=consistent)
        if item is None:
            raise NotFound("order", order_id)
        return item

    def _item(self, key: Item, *, consistent: bool = True) -> Item | None:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=consistent)
        item: Item | None = answer.get("Item")
        return item


class AlreadyPlaced(OmsError):
    """The same order was placed before, with the same body."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"{order_id} was placed before")
        self.order_id = order_id


_ABSENT = "attribute_not_exists(PK)"


def fingerprint_of(document: object) -> str:
    """Equal for equal JSON, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fact_of(item: Item) -> Fact:
    event = events.read(db.text(item, "type"), db.unpack(item["body"]))
    at = datetime.fromisoformat(db.text(item, "at"))
    return Fact(int(db.text(item, "SK").removeprefix("EVENT#")), at, db.text(item, "actor"), event)


def order_of_fulfillment(identity: str) -> str:
    """The order is in the id; what is no such id belongs to no order."""
    if not identity.startswith("ful_") or "-" not in identity:
        raise NotFound("fulfillment order", identity)
    return order_id_of_fulfillment(identity)


def days(since: datetime, until: datetime) -> Iterator[date]:
    """Days from the newest to the oldest, both ends included."""
    day = until.astimezone(UTC).date()
    while day >= since.astimezone(UTC).date():
        yield day
        day -= timedelta(days=1)


@cache
def orders_table(*, with_stock: bool = False) -> OrdersTable:
    return OrdersTable(db.client(), setting("ORDERS_TABLE"), stock_table() if with_stock else None)


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
    return {wait.value: now for wait, now in ended if now is not None}


def _consequences(before: Order | None, after: Order) -> Item:
    """What the publisher must know beside the event: waits that ended, stock that is owed."""
    ended, owed = _ended(before, after), set(before.owed_stock if before else ())
    told: Item = {"wake": db.s(json.dumps(ended))} if ended else {}
    return told | ({"owes_stock": db.flag(True)} if set(after.owed_stock) - owed else {})


def _short_skus(order: Order) -> frozenset[str]:
    """SKUs that the order waits for; the first few of very many, one arrival wakes it anyway."""
    short = sorted({line.sku for line in order.lines if line.backordered})
    return frozenset(short[:MAX_QUEUES])


def _order(item: Item) -> Order:
    return codec.decode(db.unpack(item["body"]), Order)


def _snapshot(order: Order) -> Item:
    return {"version": db.n(order.version), "body": db.pack(codec.encode(order))}


def _event_item(order_id: str, fact: Fact) -> Item:
    """`publish` brings the row to the publisher: the stream's filter looks for it."""
    quiet = events.CATALOGUE[type(fact.event).__name__].quiet
    return {
        **db.key(_order_pk(order_id), _event_sk(fact.seq)),
        "type": db.s(type(fact.event).__name__),
        "at": db.s(fact.at.isoformat()),
        "actor": db.s(fact.actor),
        "body": db.pack(codec.encode(fact.event)),
        **({} if quiet else {"publish": db.flag(True)}),
    }


def _order_pk(order_id: str) -> str:
    return f"ORDER#{order_id}"


def _order_key(order_id: str) -> Item:
    return db.key(_order_pk(order_id), "ORDER")


def _event_sk(seq: int) -> str:
    return f"EVENT#{seq:06d}"


def _wait_key(order_id: str, wait: Wait) -> Item:
    return db.key(_order_pk(order_id), f"WAIT#{wait}")


def _request_key(once: OnceKey) -> Item:
    return db.key(f"REQUEST#{once.key}", "REQUEST")


def _tracking_pk(carrier: str, tracking_number: str) -> str:
    return f"TRACKING#{carrier}#{tracking_number}"


def _open_shard(order_id: str) -> str:
    return f"OPEN#{int(hashlib.sha256(order_id.encode()).hexdigest(), 16) % OPEN_SHARDS}"


def _instant(at: datetime) -> str:
    """Sortable as text; milliseconds are enough to order a list."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S") + f"{at.microsecond // 1000:03d}"
