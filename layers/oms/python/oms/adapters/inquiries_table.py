"""Inquiries in the orders table: written with their events, all or nothing.

INQUIRY#<id> / INQUIRY         the snapshot. GSI1PK = INQUIRIES#<state>; while it is active also
                               GSI2PK = INQUIRIES, GSI3PK = INQUIRIES#<assignee or nobody>;
                               at: overdue ones first, then by what is due next
INQUIRY#<id> / CATEGORY        while it is active: GSI1PK = INQUIRIES#CATEGORY#<category>
INQUIRY#<id> / EVENT#<seq>     the history and outbox
ORDER#<id> / INQUIRY#<id>      where an order's inquiries are found
ORDER#<id> / INQUIRIES         how many of them are active; of one that belongs to no order:
                               INQUIRER#<customer id> / INQUIRIES

What was written is in the vault (`inquiry_texts`); deadlines are on the stock table's agenda.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.agenda import Agenda, agenda
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.inquiry_texts import (
    Correspondent,
    InquiryTexts,
    TextKind,
    Written,
    inquiry_texts,
)
from oms.adapters.order_rows import ABSENT, instant, order_pk
from oms.adapters.stock_rows import outbox_row
from oms.contracts import codec, events
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.agenda import DueKind
from oms.domain.errors import Conflict, Contended, NotFound, OmsError, Refused
from oms.domain.events import InquiryOpened
from oms.domain.inquiries import commands as c
from oms.domain.inquiries.deciding import decide, facts
from oms.domain.inquiries.folding import InquiryFact
from oms.domain.inquiries.model import Inquiry, InquiryState
from oms.domain.inquiries.policy import ServicePolicy
from oms.settings import setting

ATTEMPTS = 8
ROW, CATEGORY, EVENT = "INQUIRY", "CATEGORY", "EVENT#"
LISTED, NOBODY = "INQUIRIES", "nobody"
KINDS: Mapping[type[object], TextKind] = {
    c.TakeMessage: TextKind.MESSAGE,
    c.Answer: TextKind.ANSWER,
    c.Note: TextKind.NOTE,
}


class TooManyOpen(Refused):
    """Of one order, or one person: what is asked more belongs into one that is open."""


class StaleInquiry(OmsError):
    """Somebody wrote it since it was read; read it again."""


class _IsThere(OmsError):
    """It was opened before."""


@dataclass(frozen=True, slots=True)
class Opening:
    """`written`: its first text, and by whom; `fingerprint`: of what was asked; `most`: so many may
    be active together, None: as many as there are."""

    event: InquiryOpened
    written: Written
    kind: TextKind
    correspondent: Correspondent = field(default_factory=Correspondent)
    fingerprint: str = ""
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The index that lists them, and its partition; without an index: of an order."""

    index: str
    partition: str


@dataclass(frozen=True, slots=True)
class InquiryPage:
    inquiries: tuple[Inquiry, ...]
    cursor: str | None


class InquiriesTable:
    def __init__(
        self,
        client: DynamoDB,
        table: str,
        deadlines: Agenda,
        texts: InquiryTexts | None = None,
    ) -> None:
        self._client, self._table = client, table
        self._agenda, self._texts = deadlines, texts

    def open(self, opening: Opening, *, at: datetime, actor: str) -> tuple[Inquiry, bool]:
        """It, or the one of the same id that the same was asked for; whether it is new."""
        recorded, inquiry = facts(None, [opening.event], at, actor)
        whose = (inquiry.customer_id, inquiry.inquiry_id)
        writes = [
            self._insertion(inquiry, opening.fingerprint),
            *self._counted(None, inquiry, opening.most),
            *self._event_writes(recorded),
            *self._found_by(inquiry),
            *self._deadline(None, inquiry),
            *self._written.writes(whose, 1, opening.written, opening.kind, at, actor),
            *self._written.correspondent_writes(whose, opening.correspondent),
        ]
        try:
            db.transact(self._client, writes)
        except _IsThere:
            return self._known(inquiry.inquiry_id, opening.fingerprint), False
        return inquiry, True

    def find(self, inquiry_id: str) -> Inquiry | None:
        row = db.get_row(self._client, self._table, _key(inquiry_id, ROW))
        return _inquiry(row) if row else None

    def get(self, inquiry_id: str) -> Inquiry:
        if (found := self.find(inquiry_id)) is None:
            raise NotFound("inquiry", inquiry_id)
        return found

    def many(self, inquiry_ids: Sequence[str]) -> dict[str, Inquiry]:
        keys = [_key(each, ROW) for each in dict.fromkeys(inquiry_ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {each.inquiry_id: each for each in map(_inquiry, rows)}

    def change(
        self,
        inquiry_id: str,
        command: c.Command,
        policy: ServicePolicy,
        *,
        at: datetime,
        actor: str,
        written: Written | None = None,
    ) -> Inquiry:
        """Decide on the newest and store what follows, with the text that it brings; again, if it
        was changed meanwhile."""
        for attempt in range(ATTEMPTS):
            inquiry = self.get(inquiry_id)
            decided = decide(command, inquiry, policy, at)
            if not decided:
                return inquiry
            recorded, after = facts(inquiry, decided, at, actor)
            text = self._text_writes(after, command, written, at, actor)
            try:
                self._save(inquiry, after, recorded, text)
            except StaleInquiry:
                time.sleep(db.full_jitter(attempt))
            else:
                return after
        raise Contended(f"{inquiry_id} is written by others all the time")

    def look(self, inquiry_id: str, policy: ServicePolicy, at: datetime) -> Inquiry:
        """At what is due: each target that is over is missed, what nobody wrote in is closed."""
        inquiry = self.get(inquiry_id)
        while inquiry.look_at is not None and inquiry.look_at <= at:
            inquiry = self.change(inquiry_id, c.LookAt(), policy, at=at, actor="system")
        return inquiry

    def history(self, inquiry_id: str) -> tuple[InquiryFact, ...]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            ExpressionAttributeValues={":pk": db.s(_pk(inquiry_id)), ":event": db.s(EVENT)},
            ConsistentRead=True,
        )
        return tuple(map(_fact, rows))

    def of_order(self, order_id: str) -> tuple[str, ...]:
        rows = db.query(self._client, **self._query(Listing("", order_id)))
        return tuple(db.text(row, "SK").partition("#")[2] for row in rows)

    def page(self, listing: Listing, limit: int, cursor: str | None = None) -> InquiryPage:
        """Overdue ones first, where it is an index, which is a moment late."""
        start = {"ExclusiveStartKey": _start(listing, cursor)} if cursor else {}
        try:
            answer = self._client.query(**self._query(listing), Limit=limit, **start)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException" and cursor:
                raise BadCursor from error  # a cursor of another listing
            raise
        found = [_id_in(item) for item in answer["Items"]]
        known = self.many(found) if found else {}
        last = answer.get("LastEvaluatedKey")
        page = tuple(known[each] for each in found if each in known)
        return InquiryPage(page, _cursor(last) if last else None)

    @property
    def _written(self) -> InquiryTexts:
        if self._texts is None:
            raise TypeError("this function may not write texts")
        return self._texts

    def _known(self, inquiry_id: str, fingerprint: str) -> Inquiry:
        row = db.get_row(self._client, self._table, _key(inquiry_id, ROW))
        assert row, "an inquiry that is there is never taken away"
        if db.text(row, "fingerprint") != fingerprint:
            raise Conflict(f"{inquiry_id} was opened before for something else")
        return _inquiry(row)

    def _text_writes(
        self,
        after: Inquiry,
        command: c.Command,
        written: Written | None,
        at: datetime,
        actor: str,
    ) -> list[Write]:
        if written is None:
            return []
        whose = (after.customer_id, after.inquiry_id)
        kind = KINDS[type(command)]
        return self._written.writes(whose, after.texts, written, kind, at, actor)

    def _save(
        self,
        before: Inquiry,
        after: Inquiry,
        recorded: Sequence[InquiryFact],
        text: Sequence[Write],
    ) -> None:
        writes = [
            self._update(before, after),
            *self._event_writes(recorded),
            *self._counted(before, after),
            *self._listed_by_category(after),
            *self._deadline(before, after),
            *text,
        ]
        db.transact(self._client, writes)

    def _insertion(self, inquiry: Inquiry, fingerprint: str) -> Write:
        item = {
            **_key(inquiry.inquiry_id, ROW),
            **_snapshot(inquiry),
            "fingerprint": db.s(fingerprint),
        }
        put = {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}
        return Write({"Put": put}, lambda _: _IsThere())

    def _update(self, before: Inquiry, after: Inquiry) -> Write:
        fields = _snapshot(after)
        gone = {"GSI2PK", "GSI3PK"} - fields.keys()
        names = {f"#{name}": name for name in (*fields, *gone)}
        assign = ", ".join(f"#{name} = :{name}" for name in fields)
        remove = " REMOVE " + ", ".join(f"#{name}" for name in sorted(gone)) if gone else ""
        update = {
            "TableName": self._table,
            "Key": _key(after.inquiry_id, ROW),
            "UpdateExpression": f"SET {assign}{remove}",
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                **{f":{name}": value for name, value in fields.items()},
                ":seen": db.n(before.version),
            },
        }
        return Write({"Update": update}, lambda _: StaleInquiry(after.inquiry_id))

    def _event_writes(self, recorded: Sequence[InquiryFact]) -> Iterator[Write]:
        for fact in recorded:
            inquiry_id = fact.event.inquiry_id
            where = _key(inquiry_id, f"{EVENT}{fact.seq:06d}")
            item = outbox_row(where, fact.event, fact.at, fact.actor)
            put = {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}
            yield Write({"Put": put}, lambda _: StaleInquiry())

    def _found_by(self, inquiry: Inquiry) -> Iterator[Write]:
        if inquiry.order_id:
            item = db.key(order_pk(inquiry.order_id), f"{ROW}#{inquiry.inquiry_id}")
            yield Write({"Put": {"TableName": self._table, "Item": item}})
        yield from self._listed_by_category(inquiry)

    def _listed_by_category(self, inquiry: Inquiry) -> Iterator[Write]:
        where = _key(inquiry.inquiry_id, CATEGORY)
        if not inquiry.is_active:
            yield Write({"Delete": {"TableName": self._table, "Key": where}})
            return
        listed = {"GSI1PK": db.s(of_category(inquiry.category).partition)}
        item = {**where, **listed, "at": db.s(_place(inquiry))}
        yield Write({"Put": {"TableName": self._table, "Item": item}})

    def _counted(
        self, before: Inquiry | None, after: Inquiry, most: int | None = None
    ) -> Iterator[Write]:
        """How many are active together; only a new one can be one too many."""
        more = after.is_active - (before.is_active if before else False)
        if not more:
            return
        values = {":more": db.n(more)} | ({":most": db.n(most)} if most is not None else {})
        limit = "attribute_not_exists(active) OR active < :most"
        update = {
            "TableName": self._table,
            "Key": _counter(after),
            "UpdateExpression": "ADD active :more",
            **({"ConditionExpression": limit} if most is not None else {}),
            "ExpressionAttributeValues": values,
        }
        said = f"{most} inquiries are open already"
        yield Write({"Update": update}, lambda _: TooManyOpen(said))

    def _deadline(self, before: Inquiry | None, after: Inquiry) -> list[Write]:
        had, has = before.look_at if before else None, after.look_at
        if had == has:
            return []
        subject = (DueKind.TEND_INQUIRY, after.inquiry_id)
        gone = self._agenda.removal(*subject, had) if had else []
        return [*gone, *(self._agenda.writes(*subject, has) if has else [])]

    def _query(self, listing: Listing) -> dict[str, Any]:
        if not listing.index:
            return {
                "TableName": self._table,
                "KeyConditionExpression": "PK = :pk AND begins_with(SK, :row)",
                "ExpressionAttributeValues": {
                    ":pk": db.s(order_pk(listing.partition)),
                    ":row": db.s(f"{ROW}#"),
                },
                "ConsistentRead": True,
            }
        return {
            "TableName": self._table,
            "IndexName": listing.index,
            "KeyConditionExpression": f"{listing.index}PK = :pk",
            "ExpressionAttributeValues": {":pk": db.s(listing.partition)},
        }


@cache
def inquiries_table(*, with_texts: bool = False) -> InquiriesTable:
    texts = inquiry_texts() if with_texts else None
    return InquiriesTable(db.client(), setting("ORDERS_TABLE"), agenda(), texts)


def active() -> Listing:
    return Listing("GSI2", LISTED)


def of_state(state: InquiryState) -> Listing:
    return Listing("GSI1", f"{LISTED}#{state}")


def of_assignee(assignee: str) -> Listing:
    """`nobody`: those that are nobody's. Active ones only."""
    return Listing("GSI3", f"{LISTED}#{assignee}")


def of_category(category: str) -> Listing:
    """Active ones only."""
    return Listing("GSI1", f"{LISTED}#{CATEGORY}#{category}")


def of_order(order_id: str) -> Listing:
    return Listing("", order_id)


def _snapshot(inquiry: Inquiry) -> Item:
    listed = {
        "GSI2PK": db.s(active().partition),
        "GSI3PK": db.s(of_assignee(inquiry.assignee or NOBODY).partition),
    }
    return {
        "version": db.n(inquiry.version),
        "body": db.pack(codec.encode(inquiry)),
        "GSI1PK": db.s(of_state(inquiry.state).partition),
        "at": db.s(_place(inquiry)),
        **(listed if inquiry.is_active else {}),
    }


def _place(inquiry: Inquiry) -> str:
    """In a list: what is overdue, what is due next, what waits for its customer, what is done."""
    if inquiry.is_overdue:
        return f"0{instant(inquiry.opened_at)}"
    if inquiry.runs and inquiry.due_at:
        return f"1{instant(inquiry.due_at)}"
    return f"{2 if inquiry.is_active else 3}{instant(inquiry.updated_at)}"


def _counter(inquiry: Inquiry) -> Item:
    of_customer = f"INQUIRER#{inquiry.customer_id}"
    return db.key(order_pk(inquiry.order_id) if inquiry.order_id else of_customer, LISTED)


def _inquiry(row: Item) -> Inquiry:
    return codec.decode(db.unpack(row["body"]), Inquiry)


def _fact(row: Item) -> InquiryFact:
    return InquiryFact(
        int(db.text(row, "SK").removeprefix(EVENT)),
        datetime.fromisoformat(db.text(row, "at")),
        db.text(row, "actor"),
        events.read(db.text(row, "type"), db.unpack(row["body"])),
    )


def _id_in(item: Item) -> str:
    """Of its own row, of that of its category, or of that of its order."""
    pk, sk = db.text(item, "PK"), db.text(item, "SK")
    return pk.removeprefix("INQUIRY#") if pk.startswith("INQUIRY#") else sk.partition("#")[2]


def _cursor(last: Item) -> str:
    return encode_cursor({name: db.text(last, name) for name in ("PK", "SK", "at") if name in last})


def _start(listing: Listing, cursor: str) -> Item:
    given = decode_cursor(cursor)
    wanted = {"PK", "SK", "at"} if listing.index else {"PK", "SK"}
    if given.keys() != wanted or not all(given.values()):
        raise BadCursor
    if listing.index:
        given[f"{listing.index}PK"] = listing.partition
    elif given["PK"] != order_pk(listing.partition) or not given["SK"].startswith(f"{ROW}#"):
        raise BadCursor
    return {name: db.s(value) for name, value in given.items()}


def _pk(inquiry_id: str) -> str:
    return f"INQUIRY#{inquiry_id}"


def _key(inquiry_id: str, sort: str) -> Item:
    return db.key(_pk(inquiry_id), sort)
