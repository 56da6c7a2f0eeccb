"""What was written in inquiries, in the customers table: sealed, and gone with the person.

PERSON#<customer_id> / INQUIRY#<inquiry_id>#000000     who writes to us: where answers go
PERSON#<customer_id> / INQUIRY#<inquiry_id>#<number>   a text: `sealed` JSON, deflated; kind, at, by
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.vault import Destroyed, Vault, vault
from oms.contracts import codec
from oms.settings import setting

SEALED = "sealed"
MAX_BYTES = 200_000  # of a text, opened
CORRESPONDENT = 0


class TextKind(StrEnum):
    MESSAGE = "message"  # of the customer
    ANSWER = "answer"  # of ours, that the customer is sent
    NOTE = "note"  # that stays with us


@dataclass(frozen=True, slots=True)
class Written:
    """`dropped`: files that came with it and were not kept; `elsewhere`: it came from another
    address than the customer's."""

    text: str
    subject: str = ""
    dropped: tuple[str, ...] = ()
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Empty fields: as the contact of the order has them."""

    email: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """`written` is None when it was destroyed, or belongs to another person."""

    number: int
    kind: TextKind
    at: datetime
    actor: str
    written: Written | None


class InquiryTexts:
    def __init__(self, client: DynamoDB, table: str, sealer: Vault) -> None:
        self._client, self._table, self._vault = client, table, sealer

    def writes(
        self,
        whose: tuple[str, str],
        number: int,
        written: Written,
        kind: TextKind,
        at: datetime,
        actor: str,
    ) -> list[Write]:
        """`whose`: the customer and the inquiry. For the transaction that counts it."""
        said = {"kind": db.s(kind), "at": db.s(at.isoformat()), "actor": db.s(actor)}
        return [self._put(whose, number, codec.encode(written), said)]

    def correspondent_writes(self, whose: tuple[str, str], of: Correspondent) -> list[Write]:
        if of == Correspondent():
            return []
        return [self._put(whose, CORRESPONDENT, codec.encode(of), {})]

    def correspondent(self, customer_id: str, inquiry_id: str) -> Correspondent:
        row = self._row((customer_id, inquiry_id), CORRESPONDENT)
        if row is None:
            return Correspondent()
        octets = self._opened((customer_id, inquiry_id), row)
        return codec.decode(octets, Correspondent) if octets else Correspondent()

    def text(self, customer_id: str, inquiry_id: str, number: int) -> Text | None:
        row = self._row((customer_id, inquiry_id), number)
        return self._text((customer_id, inquiry_id), row) if row else None

    def all_of(self, customer_id: str, inquiry_id: str) -> tuple[Text, ...]:
        return tuple(self._texts((customer_id, inquiry_id)))

    def inquiries_of(self, customer_id: str) -> tuple[str, ...]:
        """Those with texts, in no order."""
        rows = self._found(_pk(customer_id), "INQUIRY#", ProjectionExpression="SK")
        return tuple(dict.fromkeys(db.text(row, "SK").split("#")[1] for row in rows))

    def _texts(self, whose: tuple[str, str]) -> Iterator[Text]:
        for row in self._found(_pk(whose[0]), f"INQUIRY#{whose[1]}#"):
            if "kind" in row:
                yield self._text(whose, row)

    def _found(self, partition: str, prefix: str, **how: str) -> Iterator[Item]:
        return db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={":pk": db.s(partition), ":prefix": db.s(prefix)},
            ConsistentRead=True,
            **how,
        )

    def _row(self, whose: tuple[str, str], number: int) -> Item | None:
        return db.get_row(self._client, self._table, _key(whose, number))

    def _put(self, whose: tuple[str, str], number: int, octets: bytes, said: Item) -> Write:
        sealed = self._vault.seal(SEALED, _bound(whose, number), zlib.compress(octets, 9))
        item = {**_key(whose, number), **sealed, **said}
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def _text(self, whose: tuple[str, str], row: Item) -> Text:
        octets = self._opened(whose, row)
        return Text(
            _number(row),
            TextKind(db.text(row, "kind")),
            datetime.fromisoformat(db.text(row, "at")),
            db.text(row, "actor"),
            codec.decode(octets, Written) if octets else None,
        )

    def _opened(self, whose: tuple[str, str], row: Item) -> bytes:
        """Nothing, where the person was erased and the row came back from a backup."""
        try:
            octets = self._vault.unseal(SEALED, _bound(whose, _number(row)), row)
        except Destroyed:
            return b""
        return zlib.decompressobj().decompress(octets, MAX_BYTES)


@cache
def inquiry_texts() -> InquiryTexts:
    return InquiryTexts(db.client(), setting("CUSTOMERS_TABLE"), vault())


def _pk(customer_id: str) -> str:
    return f"PERSON#{customer_id}"


def _key(whose: tuple[str, str], number: int) -> Item:
    return db.key(_pk(whose[0]), f"INQUIRY#{whose[1]}#{number:06d}")


def _bound(whose: tuple[str, str], number: int) -> bytes:
    return f"{whose[0]}\x1f{whose[1]}#{number:06d}".encode()


def _number(row: Item) -> int:
    return int(db.text(row, "SK").rpartition("#")[2])
