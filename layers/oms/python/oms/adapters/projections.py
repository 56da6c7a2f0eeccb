"""The engine of reports: segments of the archive, counted once, however often they are handed out.

SEEN#<order_id> / SEEN      of an order: `e<seq>`, the segment that counts the event of this number;
                            `head`, what the order is; `f.<report>.<generation>.<name>`, remembered
                            facts, with the segment that brought them. Of other events:
                            SEEN#<event_id> / SEEN, `e`
FIGURES#… / …               the figures (oms.adapters.figures): each row remembers the last segment
                            that it has counted, and all that a segment adds is one update
PROJECTIONS / …             which generations there are, and how far they are
                            (oms.adapters.generations)

A segment may be taken by two workers at once, and again after a crash. What it adds depends on
nothing but the segments up to it and the histories of orders, which never change: so the one who is
late adds the same to the same rows, and each row refuses what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

import msgspec

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.event_log import Envelope, Segment
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import Generation
from oms.adapters.order_reader import OrderReader
from oms.contracts.events import CATALOGUE
from oms.domain.errors import OmsError
from oms.domain.events import OrderPlaced
from oms.domain.order import Fact, Order, fold
from oms.domain.reporting.base import Count, Header, Projection, Told
from oms.observability import describe, logger

SEEN_FOR = timedelta(days=400)  # since the last event that was seen of the order
AT_ONCE = 50  # events of an order that one update claims: an expression has 4 KB
PAGE = 100
SUBJECTS = ("order_id", "sku", "location_id", "account_id")
DOUBTFUL = (LookupError, TypeError, ValueError, ArithmeticError, OmsError)

Outcome = dict[str, int]


class Histories(Protocol):
    """The facts of an order up to a seq, which are there before anybody is told of them."""

    def facts(self, order_id: str, through: int) -> Sequence[Fact]: ...


@dataclass(frozen=True, slots=True)
class Running:
    """A projection in one of its generations."""

    projection: Projection
    generation: Generation

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.generation.time_zone)


@dataclass(frozen=True, slots=True)
class Telling:
    """An event of a segment, as it is claimed and counted. `seq` is 0 where no order has it."""

    told: Told
    seq: int

    @property
    def row(self) -> str:
        return self.told.order_id or self.told.event_id

    @property
    def claim(self) -> str:
        return f"e{self.seq}" if self.told.order_id else "e"


class Rows(Protocol):
    """Where counts go: the rows of reports (`FiguresTable`), or what makes such rows of them."""

    def add(
        self, generation: Generation, number: int, counts: Sequence[Count], threads: Executor
    ) -> int: ...


class Engine:
    """`threads`: for what has to be written. `figures` knows the partitions that it has noted."""

    def __init__(
        self,
        client: DynamoDB,
        table: str,
        histories: Histories,
        threads: Executor,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        figures: Rows | None = None,
    ) -> None:
        self._client, self._table, self._histories = client, table, histories
        self._threads, self._clock = threads, clock
        self._figures: Rows = figures or FiguresTable(client, table)

    def take(
        self, segment: Segment, envelopes: Sequence[Envelope], running: Sequence[Running]
    ) -> Outcome:
        """Count the segment for all of them; how many events were counted, and how many not."""
        kinds = frozenset().union(*(each.projection.kinds for each in running)) | {OrderPlaced}
        tellings, unread = self._read(envelopes, kinds)
        seen = self._claimed(segment, tellings, running)
        fresh = [t for t in tellings if _number(seen[t.row], t.claim) == segment.number]
        histories = KnownFacts(self._histories)
        tables = [self._counted(segment, fresh, seen, each, histories) for each in running]
        return {
            "events": len(fresh),
            "not_counted": unread + sum(failed for _, failed in tables),
            "rows": sum(
                self._figures.add(each.generation, segment.number, counts, self._threads)
                for each, (counts, _) in zip(running, tables, strict=True)
            ),
        }

    def _read(
        self, envelopes: Sequence[Envelope], kinds: frozenset[type[Any]]
    ) -> tuple[list[Telling], int]:
        """Each once, in an order of its own."""
        found: dict[str, Telling] = {}
        unread = 0
        for envelope in envelopes:
            known = CATALOGUE.get(envelope["type"])
            if known is None or known.type not in kinds or envelope["id"] in found:
                continue
            try:
                found[envelope["id"]] = self._telling(envelope, known.type)
            except DOUBTFUL as error:
                unread += 1
                _complain("not read", str(envelope["id"]), error)
        return sorted(found.values(), key=lambda t: (t.row, t.seq)), unread

    def _telling(self, envelope: Envelope, kind: type[Any]) -> Telling:
        order_id = str(envelope.get("order_id", ""))
        seq = int(envelope["seq"]) if order_id else 0
        if envelope.get("data_omitted"):
            event = self._histories.facts(order_id, seq)[-1].event
        else:
            event = msgspec.convert(envelope["data"], kind)
        subject = next((str(envelope[name]) for name in SUBJECTS if name in envelope), "")
        at = datetime.fromisoformat(envelope["at"])
        told = Told(envelope["id"], at, str(envelope.get("actor", "")), order_id, subject, event)
        return Telling(told, seq)

    def _claimed(
        self, segment: Segment, tellings: Sequence[Telling], running: Sequence[Running]
    ) -> dict[str, Item]:
        """The rows of what was seen, with these events in them."""
        writes = [
            (row, together[start : start + AT_ONCE])
            for row, each in groupby(tellings, key=lambda t: t.row)
            for together in [list(each)]
            for start in range(0, len(together), AT_ONCE)
        ]
        written = self._threads.map(lambda w: self._claim(segment, w[0], w[1], running), writes)
        seen: dict[str, Item] = {}
        for (row, _), item in zip(writes, written, strict=True):
            seen[row] = {**seen.get(row, {}), **item}
        return seen

    def _claim(
        self,
        segment: Segment,
        row: str,
        tellings: Sequence[Telling],
        running: Sequence[Running],
    ) -> Item:
        said: Item = {t.claim: db.n(segment.number) for t in tellings}
        for telling in tellings:
            said |= _head(telling.told) | _facts(segment.number, telling.told, running)
        expires = int((self._clock() + SEEN_FOR).timestamp())
        answer = self._client.update_item(
            TableName=self._table,
            Key=db.key(f"SEEN#{row}", "SEEN"),
            ReturnValues="ALL_NEW",
            **_if_new(said, expires),
        )
        return dict(answer["Attributes"])

    def _counted(
        self,
        segment: Segment,
        tellings: Sequence[Telling],
        seen: Mapping[str, Item],
        running: Running,
        histories: Histories,
    ) -> tuple[list[Count], int]:
        counts: list[Count] = []
        failed = 0
        for telling in tellings:
            if type(telling.told.event) not in running.projection.kinds:
                continue
            known = Knowledge(telling, seen[telling.row], segment.number, running, histories)
            try:
                counts += [*running.projection.counts(telling.told, known)]  # all of it, or nothing
            except DOUBTFUL as error:
                failed += 1
                _complain("not counted", telling.told.event_id, error)
        return counts, failed


class Knowledge:
    """What `Known` says: of the row of what was seen, else of the order's history."""

    def __init__(
        self,
        telling: Telling,
        seen: Item,
        number: int,
        running: Running,
        histories: Histories,
    ) -> None:
        self._telling, self._seen, self._number = telling, seen, number
        self._running, self._histories = running, histories
        self._order: Order | None = None

    @property
    def zone(self) -> tzinfo:
        return self._running.zone

    def header(self) -> Header:
        if "head" in self._seen:
            return msgspec.json.decode(db.text(self._seen, "head"), type=Header)
        (first,) = self._histories.facts(self._telling.told.order_id, 1)
        return header_of(cast(OrderPlaced, first.event))

    def remembered(self, name: str) -> str | None:
        """Not what came later: whoever counts this again would know more."""
        kept = self._seen.get(_fact_name(self._running, name))
        if kept is None:
            return None
        number, _, fact = kept["S"].partition("|")
        return str(fact) if int(number) <= self._number else None

    def order(self) -> Order:
        if self._order is None:
            self._order = fold(self._telling.told.order_id, self.facts())
        return self._order

    def facts(self) -> Sequence[Fact]:
        return self._histories.facts(self._telling.told.order_id, self._telling.seq - 1)


def header_of(placed: OrderPlaced) -> Header:
    return Header(
        placed.channel,
        placed.currency,
        placed.destination.country,
        placed.customer_id,
        placed.placed_at,
    )


def _head(told: Told) -> Item:
    if not isinstance(told.event, OrderPlaced):
        return {}
    return {"head": db.s(msgspec.json.encode(header_of(told.event)).decode())}


def _facts(number: int, told: Told, running: Iterable[Running]) -> Item:
    return {
        _fact_name(each, name): db.s(f"{number}|{fact}")
        for each in running
        if type(told.event) in each.projection.kinds
        for name, fact in each.projection.remembers(told).items()
    }


def _fact_name(running: Running, name: str) -> str:
    return f"f.{running.generation.report}.{running.generation.number}.{name}"


def _if_new(said: Item, expires: int) -> dict[str, Any]:
    """What is there stays."""
    names = sorted(said)
    sets = [f"#{i} = if_not_exists(#{i}, :{i})" for i in range(len(names))]
    return {
        "UpdateExpression": "SET " + ", ".join([*sets, "expires_at = :expires"]),
        "ExpressionAttributeNames": {f"#{i}": name for i, name in enumerate(names)},
        "ExpressionAttributeValues": {
            **{f":{i}": said[name] for i, name in enumerate(names)},
            ":expires": db.n(expires),
        },
    }


def _number(seen: Item, claim: str) -> int:
    return db.number(seen, claim)


def _complain(what: str, event_id: str, error: Exception) -> None:
    logger().error(what, extra={"event_id": event_id, **describe(error)})


class FactsOfOrders:
    """Of the table of orders."""

    def __init__(self, reader: OrderReader) -> None:
        self._reader = reader

    def facts(self, order_id: str, through: int) -> Sequence[Fact]:
        return [fact for fact in self._pages(order_id, through) if fact.seq <= through]

    def _pages(self, order_id: str, through: int) -> Iterator[Fact]:
        after: int | None = 0
        while after is not None and after < through:
            page = self._reader.history(order_id, after, min(PAGE, through - after))
            yield from page.facts
            after = page.last_seq


class KnownFacts:
    """Those of a segment's orders, read once while it is counted."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._read: dict[str, Sequence[Fact]] = {}

    def facts(self, order_id: str, through: int) -> Sequence[Fact]:
        read = self._read.get(order_id, ())
        if not read or read[-1].seq < through:
            read = self._read[order_id] = self._histories.facts(order_id, through)
        return [fact for fact in read if fact.seq <= through]
