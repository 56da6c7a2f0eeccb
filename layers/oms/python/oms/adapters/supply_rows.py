"""The rows of purchase orders, transfers and expected units, in the stock table.

    PURCHASE#<id> / DOCUMENT                      the document, and the hash of how it was asked for
    PURCHASES, PURCHASES#<status> / <created>#<id>  by which it is listed
    SKU#<item> / SUPPLY#<day>#<source>#<location> what is still expected of it, for its stock item
    REQUEST#<hash> / SUPPLY                       what was asked for under an Idempotency-Key

and TRANSFER, TRANSFERS alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from oms.adapters.dynamodb import Item, key, n, number, pack, s, text, unpack
from oms.adapters.orders_table import OnceKey
from oms.adapters.stock_rows import partition, sku_of, stamp
from oms.contracts import codec
from oms.domain.supply import Accepted, ExpectedSupply, PurchaseOrder, Transfer

SUPPLY, DOCUMENT = "SUPPLY#", "DOCUMENT"
SupplyKey = tuple[str, date, str, str]  # stock item, day, source, location


class Stocked(Protocol):
    @property
    def stock_item(self) -> str: ...


class Document(Protocol):
    @property
    def identity(self) -> str: ...
    @property
    def reference(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def supply(self) -> tuple[tuple[str, ExpectedSupply], ...]: ...
    @property
    def lines(self) -> Sequence[Stocked]: ...


D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Kind(Generic[D]):
    """How a kind of document is called: to readers, and in its keys."""

    name: str
    word: str
    type: type[D]

    def key(self, identity: str) -> Item:
        return key(f"{self.word}#{identity}", DOCUMENT)

    def listed_under(self, status: str | None) -> str:
        return f"{self.word}S#{status}" if status else f"{self.word}S"

    def list_key(self, document: D, status: str | None) -> Item:
        sort = f"{stamp(document.created_at)}#{document.identity}"
        return key(self.listed_under(status), sort)

    def listed(self, row: Item) -> Item:
        """The key of the document that a row of a list stands for."""
        return self.key(text(row, "SK").partition("#")[2])

    def row(self, document: D, fingerprint: str) -> Item:
        return {
            **self.key(document.identity),
            "body": self.body(document),
            "version": n(document.version),
            "fingerprint": s(fingerprint),
        }

    def body(self, document: D) -> dict[str, Any]:
        return pack(codec.encode(document))

    def read(self, row: Item) -> D:
        return codec.decode(unpack(row["body"]), self.type)


PURCHASES: Kind[PurchaseOrder] = Kind("purchase order", "PURCHASE", PurchaseOrder)
TRANSFERS: Kind[Transfer] = Kind("transfer", "TRANSFER", Transfer)


def expected_quantities(document: Document) -> dict[SupplyKey, int]:
    """What a document expects, one entry per row: two of its SKUs may be one stock item."""
    totals: dict[SupplyKey, int] = {}
    for item, each in document.supply:
        at = (item, each.on, each.source, each.location)
        totals[at] = totals.get(at, 0) + each.quantity
    return totals


def supply_key(at: SupplyKey) -> Item:
    item, on, source, location = at
    return key(partition(item), f"{SUPPLY}{on.isoformat()}#{source}#{location}")


def supply_row(at: SupplyKey, quantity: int) -> Item:
    _, on, source, location = at
    return {
        **supply_key(at),
        "on": s(on.isoformat()),
        "source": s(source),
        "location": s(location),
        "quantity": n(quantity),
    }


def read_supply(row: Item) -> tuple[str, ExpectedSupply]:
    on = date.fromisoformat(text(row, "on"))
    expected = ExpectedSupply(
        on, text(row, "location"), number(row, "quantity"), text(row, "source")
    )
    return sku_of(row), expected


def request_key(once: OnceKey) -> Item:
    return key(f"REQUEST#{once.key}", "SUPPLY")


def request_row(once: OnceKey, identity: str, accepted: tuple[Accepted, ...]) -> Item:
    return {
        **request_key(once),
        "fingerprint": s(once.fingerprint),
        "document": s(identity),
        "accepted": pack(codec.encode(accepted)),
    }


def read_accepted(row: Mapping[str, Any]) -> tuple[Accepted, ...]:
    return codec.decode(unpack(row["accepted"]), tuple[Accepted, ...])
