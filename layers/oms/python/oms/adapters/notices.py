"""Which notices were sent, in the reports table.

NOTICE#<order_id> / <event id>                  the mail about an event
NOTICE#<order_id> / <event id>#sms              its text message
NOTICE#<order_id> / <event id>#again-<digest>   the mail once more, as staff asked under a key

    state     sending, sent, skipped, or waiting, `until` then
    at        when it came to that
    kind      of the event; reason of a skip, template and locale of what was sent, parts of a text
    outcome   what the mail service said of it since; tries, of those that a full mailbox refused

What waits is due in the agenda WAITING, beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.agenda import Agenda
from oms.adapters.dynamodb import DynamoDB, Write
from oms.domain.errors import OmsError
from oms.settings import setting

SENDING, SENT, SKIPPED, WAITING = "sending", "sent", "skipped", "waiting"
# No invocation runs this long: who claimed the notice is dead.
CLAIM_LASTS = timedelta(minutes=1)
DUE = "notice"
TEXT, AGAIN = "#sms", "#again-"
FREE = (
    "attribute_not_exists(PK) OR (#s = :sending AND #at < :dead) OR (#s = :waiting AND #u <= :now)"
)
NAMES = {"#s": "state", "#at": "at", "#u": "until"}


class BeingSent(Exception):
    """Another invocation has claimed the notice and may be sending it at this moment."""


class Taken(OmsError):
    """It was sent, skipped or put off before, or is being sent."""


@dataclass(frozen=True, slots=True)
class Noted:
    """`notice_id` is the event's id, and what of it: its text message, or the mail once more."""

    notice_id: str
    state: str
    at: datetime
    details: Mapping[str, str]

    @property
    def event_id(self) -> str:
        return "#".join(self.notice_id.split("#")[:2])


class Notices:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table
        self.waiting = Agenda(client, table, "WAITING")

    def claim(self, order_id: str, notice_id: str, at: datetime) -> bool:
        """True: it is ours to send. False: it was sent or skipped before, or waits."""
        try:
            self._client.update_item(
                **self._change(order_id, notice_id, at, SENDING, {}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _claimed_by_other(error, notice_id)
        return True

    def sent(
        self, order_id: str, notice_id: str, at: datetime, details: Mapping[str, str] = {}
    ) -> None:
        self._end(order_id, notice_id, at, SENT, details)

    def skipped(
        self,
        order_id: str,
        notice_id: str,
        reason: str,
        at: datetime,
        details: Mapping[str, str] = {},
    ) -> None:
        self._end(order_id, notice_id, at, SKIPPED, {**details, "reason": reason})

    def release(self, order_id: str, notice_id: str) -> None:
        """Nothing was sent: whoever comes next may claim it."""
        self._client.delete_item(TableName=self._table, Key=_key(order_id, notice_id))

    def wait(
        self,
        order_id: str,
        notice_id: str,
        until: datetime,
        at: datetime,
        details: Mapping[str, str] = {},
    ) -> bool:
        """Decide about it again then. False: it was sent, skipped or put off before."""
        said = {**details, "until": _stamp(until)}
        change = self._change(order_id, notice_id, at, WAITING, said)
        held = Write({"Update": change}, lambda _: Taken(notice_id))
        try:
            db.transact(self._client, [held, *self.waiting.writes(DUE, notice_id, until)])
        except Taken:
            return False
        return True

    def again(
        self, order_id: str, notice_id: str, until: datetime, at: datetime, tries: int
    ) -> bool:
        """A mailbox took none just now: once more then. False: that was said before."""
        seen = ":seen" if tries > 1 else ""
        update = {
            "TableName": self._table,
            "Key": _key(order_id, notice_id),
            "UpdateExpression": "SET #s = :waiting, #u = :until, #at = :at, tries = :tries",
            "ConditionExpression": "#s = :sent AND "
            + ("tries = :seen" if seen else "attribute_not_exists(tries)"),
            "ExpressionAttributeNames": NAMES,
            "ExpressionAttributeValues": {
                ":waiting": db.s(WAITING),
                ":sent": db.s(SENT),
                ":until": db.s(_stamp(until)),
                ":at": db.s(_stamp(at)),
                ":tries": db.s(str(tries)),
                **({seen: db.s(str(tries - 1))} if seen else {}),
            },
        }
        held = Write({"Update": update}, lambda _: Taken(notice_id))
        try:
            db.transact(self._client, [held, *self.waiting.writes(DUE, notice_id, until)])
        except Taken:
            return False
        return True

    def outcome(self, order_id: str, notice_id: str, outcome: str) -> None:
        """What the mail service says of a mail that was sent; of no other."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(order_id, notice_id),
                UpdateExpression="SET outcome = :outcome",
                ConditionExpression="attribute_exists(PK)",
                ExpressionAttributeValues={":outcome": db.s(outcome)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def of(self, order_id: str) -> dict[str, str]:
        """Notice id -> state."""
        return {each.notice_id: each.state for each in self.listed(order_id)}

    def listed(self, order_id: str) -> Iterator[Noted]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(f"NOTICE#{order_id}")},
        )
        return map(_noted, rows)

    def find(self, order_id: str, notice_id: str) -> Noted | None:
        row = db.get_row(self._client, self._table, _key(order_id, notice_id))
        return _noted(row) if row else None

    def _end(
        self, order_id: str, notice_id: str, at: datetime, state: str, details: Mapping[str, str]
    ) -> None:
        request = self._change(order_id, notice_id, at, state, details)
        del request["ConditionExpression"]
        for unused in (":sending", ":waiting", ":dead", ":now"):
            del request["ExpressionAttributeValues"][unused]
        self._client.update_item(**request)

    def _change(
        self, order_id: str, notice_id: str, at: datetime, state: str, details: Mapping[str, str]
    ) -> dict[str, Any]:
        """If it is free. How often it was tried stays."""
        said = {name: value for name, value in details.items() if value}
        names = {f"#d_{name}": name for name in said}
        sets = ["#s = :s", "#at = :at", *(f"{short} = :{name}" for short, name in names.items())]
        gone = " REMOVE #u" if "until" not in said else ""
        return {
            "TableName": self._table,
            "Key": _key(order_id, notice_id),
            "UpdateExpression": f"SET {', '.join(sets)}{gone}",
            "ConditionExpression": FREE,
            "ExpressionAttributeNames": {**NAMES, **names},
            "ExpressionAttributeValues": {
                **_free_at(at),
                ":s": db.s(state),
                ":at": db.s(_stamp(at)),
                **{f":{name}": db.s(value) for name, value in said.items()},
            },
        }


@cache
def notices() -> Notices:
    return Notices(db.client(), setting("REPORTS_TABLE"))


def _free_at(at: datetime) -> db.Item:
    return {
        ":sending": db.s(SENDING),
        ":waiting": db.s(WAITING),
        ":dead": db.s(_stamp(at - CLAIM_LASTS)),
        ":now": db.s(_stamp(at)),
    }


def _claimed_by_other(error: ClientError, notice_id: str) -> bool:
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    old: Any = error.response.get("Item", {})
    if old.get("state") == db.s(SENDING):
        raise BeingSent(notice_id) from None
    return False


def _noted(row: db.Item) -> Noted:
    own = ("PK", "SK", "state", "at")
    return Noted(
        db.text(row, "SK"),
        db.text(row, "state"),
        datetime.fromisoformat(db.text(row, "at")),
        {name: db.text(row, name) for name in row if name not in own},
    )


def _key(order_id: str, notice_id: str) -> db.Item:
    return db.key(f"NOTICE#{order_id}", notice_id)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
