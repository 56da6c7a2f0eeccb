"""Messages of channels, in the channels table: each is done once, and none is lost.

MESSAGE#<id> / MESSAGE       `state` applied: it was done, as `order_id`; `expires_at` removes it.
                             `state` failed: it could not be, `reason` says why, and it is kept
                             whole, sealed with a key of its own. GSI1PK = INBOX, by `at`
                             `state` dismissed: a person has looked at it, and it is not kept
EARLY#<order_id> / <digest>  what was said of an order before it was placed
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import aws
from oms.adapters import dynamodb as db
from oms.adapters.channels.base import Cancelled, Fetch, Fulfilled, Refunded
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.order_rows import instant
from oms.adapters.person_keys import person_keys
from oms.adapters.vault import Vault
from oms.adapters.webhooks import Call
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.errors import NotFound
from oms.domain.ids import name_of
from oms.settings import setting

PURPOSE = {"purpose": "inbox"}
LISTED = "INBOX"
SEALED = "sealed"
FAILED, APPLIED, DISMISSED = "failed", "applied", "dismissed"
KEPT_FOR = timedelta(days=35)  # longer than any sender tries again
MAX_BYTES = 350_000  # deflated: a row takes 400 KB
MAX_REASON = 500
MAX_KEY = 1024  # bytes, of a sort key
NEVER_KEPT = frozenset({"authorization", "cookie"})  # of headers
UNLESS_DONE: Mapping[str, Any] = {
    "ConditionExpression": "attribute_not_exists(PK) OR #state = :failed",
    "ExpressionAttributeNames": {"#state": "state"},
    "ExpressionAttributeValues": {":failed": {"S": FAILED}},
}

Early = Cancelled | Refunded | Fulfilled
KINDS: tuple[type[Early], ...] = (Cancelled, Refunded, Fulfilled)
EARLY = {kind.__name__: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that came in, of the shop `name`; `call` or `fetch` are what it said, where it is
    kept and was asked for. `topic` is the sender's own word."""

    message_id: str
    name: str
    state: str
    at: datetime
    reason: str = ""
    topic: str = ""
    order_id: str = ""
    call: Call | None = None
    fetch: Fetch | None = None

    @property
    def code(self) -> str:
        return self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class KeptPage:
    """Oldest first."""

    messages: tuple[Kept, ...]
    cursor: str | None


def message_id(name: str, sender_s: str, body: bytes = b"") -> str:
    """Of the shop's message with this id of the sender's, or with this body where it has none."""
    said = sender_s or f"body:{hashlib.sha256(body).hexdigest()}"
    return f"msg_{name_of('message', name, said)}"


class InboxList:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def known(self, *ids: str) -> dict[str, Kept]:
        """Without what they said."""
        keys = [_key(each) for each in dict.fromkeys(ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {each.message_id: each for each in map(_read, rows)}

    def page(self, limit: int, cursor: str | None = None) -> KeptPage:
        """Those that failed, without what they said. The index is a moment late."""
        start = {"ExclusiveStartKey": _start(cursor)} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="GSI1PK = :pk",
            ExpressionAttributeValues={":pk": db.s(LISTED)},
            Limit=limit,
            **start,
        )
        ids = [db.text(item, "PK").removeprefix("MESSAGE#") for item in answer["Items"]]
        found, last = self.known(*ids), answer.get("LastEvaluatedKey")
        failed = (found[each] for each in ids if each in found and found[each].state == FAILED)
        return KeptPage(tuple(failed), _cursor(last) if last else None)


class ChannelInbox(InboxList):
    def __init__(self, client: DynamoDB, table: str, vault: Vault) -> None:
        super().__init__(client, table)
        self._vault = vault

    def get(self, identity: str) -> Kept:
        """With what it said. Raises NotFound."""
        row = db.get_row(self._client, self._table, _key(identity))
        if row is None:
            raise NotFound("message", identity)
        return self._opened(_read(row), row)

    def applied(self, identity: str, name: str, order_id: str, at: datetime) -> None:
        """It is done; what was kept of it is gone."""
        done = Kept(identity, name, APPLIED, at, order_id=order_id)
        self._client.put_item(TableName=self._table, Item=_row(done) | _until(at))

    def failed(self, kept: Kept) -> None:
        """Kept until a person has decided, or until it comes again and can be done. What was only
        to be asked for can be done once, and fail another time."""
        said = self._sealed(kept)
        note = "" if said else "; it is too large to be kept"
        item = _row(replace(kept, reason=(kept.reason + note)[:MAX_REASON]))
        condition = UNLESS_DONE if kept.fetch is None else {}
        try:
            self._client.put_item(
                TableName=self._table, Item={**item, **said, "GSI1PK": db.s(LISTED)}, **condition
            )
        except ClientError as error:
            _unless_refused(error)

    def dismiss(self, identity: str, at: datetime) -> Kept:
        """Looked at, and not wanted; also twice. Raises NotFound."""
        kept = replace(self.get(identity), call=None, fetch=None)
        if kept.state == FAILED:
            kept = replace(kept, state=DISMISSED)
            self._client.put_item(TableName=self._table, Item=_row(kept) | _until(at))
        return kept

    def keep_early(self, order_id: str, said: Early, at: datetime) -> None:
        """The same twice is one row. Whatever a person wrote is left out."""
        item = {
            **_early_key(order_id, said),
            "kind": db.s(type(said).__name__),
            "body": db.pack(codec.encode(_plain(said))),
            **_until(at),
        }
        self._client.put_item(TableName=self._table, Item=item)

    def early(self, order_id: str) -> tuple[Early, ...]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(f"EARLY#{order_id}")},
            ConsistentRead=True,
        )
        return tuple(
            codec.decode(db.unpack(row["body"]), EARLY[db.text(row, "kind")]) for row in rows
        )

    def drop_early(self, order_id: str, said: Early) -> None:
        self._client.delete_item(TableName=self._table, Key=_early_key(order_id, said))

    def _sealed(self, kept: Kept) -> Item:
        octets = _octets(kept)
        if octets is None or len(octets) > MAX_BYTES:
            return {}
        return self._vault.seal(SEALED, kept.message_id.encode(), octets)

    def _opened(self, kept: Kept, row: Item) -> Kept:
        if SEALED not in row:
            return kept
        octets = self._vault.unseal(SEALED, kept.message_id.encode(), row)
        said = json.loads(zlib.decompress(octets))
        if "fetch" in said:
            return replace(kept, fetch=Fetch(**said["fetch"]))
        body = base64.b64decode(said["body"])
        call = Call(body, said["headers"], said["query"], said["url"], kept.at)
        return replace(kept, call=call)


@cache
def inbox_list() -> InboxList:
    return InboxList(db.client(), setting("CHANNELS_TABLE"))


@cache
def channel_inbox() -> ChannelInbox:
    kms = aws.client("kms", read_timeout=5, attempts=3)
    sealing = Vault(db.client(), kms, "", setting("VAULT_KEY_ID"), PURPOSE, person_keys())
    return ChannelInbox(db.client(), setting("CHANNELS_TABLE"), sealing)


def _octets(kept: Kept) -> bytes | None:
    said: dict[str, Any]
    if kept.fetch is not None:
        asked = kept.fetch
        named = {"channel": asked.channel, "external_id": asked.external_id, "what": asked.what}
        said = {"fetch": named}
    elif kept.call is not None:
        call = kept.call
        headers = {k: v for k, v in call.headers.items() if k not in NEVER_KEPT}
        body = base64.b64encode(call.body).decode()
        said = {"body": body, "headers": headers, "query": dict(call.query), "url": call.url}
    else:
        return None
    return zlib.compress(json.dumps(said).encode(), 9)


def _row(kept: Kept) -> Item:
    texts = {
        "name": kept.name,
        "state": kept.state,
        "at": instant(kept.at),
        "received_at": kept.at.isoformat(),
        "reason": kept.reason,
        "topic": kept.topic,
        "order_id": kept.order_id,
    }
    return _key(kept.message_id) | {name: db.s(value) for name, value in texts.items() if value}


def _read(row: Item) -> Kept:
    def said(name: str) -> str:
        return db.text(row, name) if name in row else ""

    return Kept(
        message_id=db.text(row, "PK").removeprefix("MESSAGE#"),
        name=said("name"),
        state=said("state"),
        at=datetime.fromisoformat(said("received_at")),
        reason=said("reason"),
        topic=said("topic"),
        order_id=said("order_id"),
    )


def _key(identity: str) -> Item:
    return db.key(f"MESSAGE#{identity}", "MESSAGE")


def _early_key(order_id: str, said: Early) -> Item:
    digest = hashlib.sha256(codec.encode(_plain(said))).hexdigest()[:32]
    return db.key(f"EARLY#{order_id}", f"{type(said).__name__}#{digest}")


def _plain(said: Early) -> Early:
    return said if isinstance(said, Fulfilled) else replace(said, reason="")


def _until(at: datetime) -> Item:
    return {"expires_at": db.n(int((at + KEPT_FOR).timestamp()))}


def _unless_refused(error: ClientError) -> None:
    """It was done, or dismissed, meanwhile."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error


def _cursor(last: Item) -> str:
    return encode_cursor({"PK": db.text(last, "PK"), "at": db.text(last, "at")})


def is_of_messages(cursor: str) -> bool:
    """And not one of another list."""
    return decode_cursor(cursor).get("PK", "").startswith("MESSAGE#")


def _start(cursor: str) -> Item:
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "at"} or not given["PK"].startswith("MESSAGE#"):
        raise BadCursor
    if not 0 < len(given["at"].encode()) <= MAX_KEY:
        raise BadCursor
    where = {"PK": given["PK"], "SK": "MESSAGE", "GSI1PK": LISTED, "at": given["at"]}
    return {name: db.s(value) for name, value in where.items()}
