"""Stock items in DynamoDB, and which of them a SKU stands for.

SKU#<sku> / ITEM     the stock item whose identity is the SKU, once something was received under it
                     (`created_at`) or said of it (`body`); and `means`: the item that the SKU
                     stands for now, where that is another one, empty where it is none

`version` counts what is said here, not receipts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Write,
    batch_get,
    client,
    flag,
    n,
    number,
    pack,
    s,
    text,
    transact,
    unpack,
)
from oms.adapters.stock_rows import item_key, sku_of, stamp
from oms.contracts import codec
from oms.domain.errors import Contended, Refused
from oms.domain.inventory import UnknownSku
from oms.domain.items import (
    NO_POLICY,
    PLAIN,
    Attributes,
    NoComponent,
    NotAKit,
    Policy,
    SkuTaken,
    StockItem,
    tags_of,
)
from oms.domain.lines import Part
from oms.settings import setting

KNOWN_SECONDS = 60.0
MAX_KNOWN = 100_000
ROUNDS = 5  # of a change that others overtook

Said = dict[str, Item]  # new attributes, by the SKU of the row


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody says of an item. `components`: units of each SKU that a kit is made of."""

    attributes: Attributes = PLAIN
    policy: Policy = NO_POLICY
    components: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """Rows as they were read at one moment, by SKU."""

    rows: Mapping[str, Item]

    def standing(self, sku: str) -> StockItem | None:
        """What the SKU stands for."""
        means = _meaning(self.rows[sku]) if sku in self.rows else ""
        return _item(self.rows[means]) if means in self.rows else None

    def has_item(self, identity: str) -> bool:
        return identity in self.rows and _item(self.rows[identity]) is not None


class _Overtaken(Refused):
    """Somebody else has written a row since it was read."""


class ItemsTable:
    def __init__(
        self, client: DynamoDB, table_name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._table, self._clock = client, table_name, clock
        self._known: dict[str, tuple[float, StockItem]] = {}

    def resolve(self, skus: Iterable[str]) -> dict[str, StockItem]:
        """What the SKUs stand for; those that were never received nor created are left out.

        A kit's tags have those of its components. What is known is not read again for a minute, so
        an order placed within a minute of a change takes what the SKU stood for before: the item
        that had the name, the components that the kit had, a retired item. That is what the buyer
        was shown, it is kept on the order's line, and counts stay true: only names are late.
        """
        asked = dict.fromkeys(skus)
        now = self._clock()
        known = {sku: self._known[sku] for sku in asked if sku in self._known}
        found = {sku: item for sku, (until, item) in known.items() if now < until}
        if unsure := [sku for sku in asked if sku not in found]:
            read = self._with_their_tags(self._read(unsure))
            self._remember(read, now + KNOWN_SECONDS)
            found |= read
        return found

    def get(self, sku: str) -> StockItem:
        """As it is now; retired ones too."""
        if (item := self._read([sku]).get(sku)) is None:
            raise UnknownSku(sku)
        return item

    def fresh(self, skus: Iterable[str]) -> dict[str, StockItem]:
        """As `resolve`, of this moment and without the components' tags."""
        return self._read(dict.fromkeys(skus))

    def given_up(self, skus: Iterable[str]) -> set[str]:
        """Those that were an item's first name and stand for nothing now: what comes under such a
        name is not that item."""
        asked = set(skus)
        look = self._look(asked)
        return {sku for sku in asked if look.standing(sku) is None and look.has_item(sku)}

    def of(self, items: Iterable[str]) -> dict[str, StockItem]:
        """By identity, whatever they are called now."""
        rows = self._rows(items)
        found = {identity: _item(row) for identity, row in rows.items()}
        return {identity: item for identity, item in found.items() if item is not None}

    def put(self, sku: str, wanted: Wanted, *, at: datetime, identity: str) -> StockItem:
        """Create the item or change what is said of it; all of it, what is not said is default.

        A SKU that stands for nothing, or for a retired item, gets a new item: named like the SKU
        if no item ever was, else `identity`.
        """
        return self._written(lambda: self._put(sku, wanted, at, identity))

    def rename(self, sku: str, name: str, *, at: datetime) -> StockItem:
        """Its counts, its reservations and the orders that want it stay its own."""
        return self._written(lambda: self._rename(sku, name, at))

    def retire(self, sku: str) -> StockItem:
        """It is not offered any more; its counts and its open orders stay as they are."""
        return self._written(lambda: self._retire(sku))

    def _put(self, sku: str, wanted: Wanted, at: datetime, identity: str) -> StockItem:
        look = self._look([sku])
        said = _as_said(look.standing(sku), sku, wanted, self._components(sku, wanted))
        if said.item:
            return self._say(said, look, {})
        new = replace(said, item=identity if look.has_item(sku) else sku)
        born = {"sku": s(sku), "created_at": s(stamp(at))}
        born |= {"kit": flag(True)} if new.is_kit else {}
        if new.item == sku:
            return self._say(new, look, {sku: {**born, "means": s(sku)}})
        means = {new.item: {**born, "means": s("")}, sku: {"means": s(new.item)}}
        return self._say(new, look, means)

    def _rename(self, sku: str, name: str, at: datetime) -> StockItem:
        look = self._look([sku, name])
        item, taken = look.standing(sku), look.standing(name)
        if item is None:
            return _renamed_before(sku, taken)
        if name == sku:
            return item
        if taken is not None and taken.active:
            raise SkuTaken(name)
        said: Said = {sku: {"means": s("")}, name: {"means": s(item.item)}}
        return self._say(item.renamed(name, at), look, said)

    def _retire(self, sku: str) -> StockItem:
        look = self._look([sku])
        if (item := look.standing(sku)) is None:
            raise UnknownSku(sku)
        return self._say(replace(item, active=False), look, {}) if item.active else item

    def _components(self, sku: str, wanted: Wanted) -> tuple[Part, ...]:
        found = self._read([name for name, _ in wanted.components])
        for name, _ in wanted.components:
            if name == sku or name not in found or not found[name].active:
                raise NoComponent(name, "is no stock item that a kit could have")
            if found[name].is_kit:
                raise NoComponent(name, "is a kit itself")
        parts = (Part(found[name].item, quantity) for name, quantity in wanted.components)
        return tuple(sorted(parts, key=lambda part: part.item))

    def _say(self, item: StockItem, look: Look, said: Said) -> StockItem:
        """Write the item and what the rows of SKUs say of it, each as it was when it was read."""
        body = {"body": pack(codec.encode(item))}
        every = {**said, item.item: {**said.get(item.item, {}), **body}}
        writes = [self._update(name, look.rows.get(name), more) for name, more in every.items()]
        transact(self._client, writes)
        return item

    def _update(self, name: str, old: Item | None, said: Item) -> Write:
        version = number(old, "version") if old and "version" in old else 0
        values = {**said, "version": n(version + 1)}
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": item_key(name),
            "UpdateExpression": "SET " + ", ".join(f"#{each} = :{each}" for each in values),
            "ExpressionAttributeNames": {f"#{each}": each for each in values},
            "ExpressionAttributeValues": {f":{each}": value for each, value in values.items()},
            "ConditionExpression": _as_it_was(old),
        }
        if version:
            update["ExpressionAttributeValues"][":was"] = n(version)
        return Write({"Update": update}, lambda _: _Overtaken())

    def _written(self, deed: Callable[[], StockItem]) -> StockItem:
        for _ in range(ROUNDS):
            try:
                return deed()
            except _Overtaken:
                continue
        raise Contended(f"others were faster, {ROUNDS} times")

    def _read(self, skus: Iterable[str]) -> dict[str, StockItem]:
        asked = list(skus)
        look = self._look(asked)
        found = {sku: look.standing(sku) for sku in asked}
        return {sku: item for sku, item in found.items() if item is not None}

    def _look(self, skus: Iterable[str]) -> Look:
        """One request for all that are called what they were at first, another for the renamed."""
        rows = self._rows(skus)
        elsewhere = {means for row in rows.values() if (means := _meaning(row))} - rows.keys()
        return Look({**rows, **self._rows(elsewhere)} if elsewhere else rows)

    def _with_their_tags(self, found: Mapping[str, StockItem]) -> dict[str, StockItem]:
        inside = {part.item for item in found.values() for part in item.components}
        components = self.of(inside) if inside else {}
        return {
            sku: _tagged(item, components) if item.is_kit else item for sku, item in found.items()
        }

    def _rows(self, names: Iterable[str]) -> dict[str, Item]:
        keys = [item_key(name) for name in dict.fromkeys(names)]
        found = batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {sku_of(row): row for row in found}

    def _remember(self, read: Mapping[str, StockItem], until: float) -> None:
        if len(self._known) + len(read) > MAX_KNOWN:
            self._known.clear()
        self._known |= {sku: (until, item) for sku, item in read.items()}


@cache
def items_table() -> ItemsTable:
    return ItemsTable(client(), setting("STOCK_TABLE"))


def _item(row: Item) -> StockItem | None:
    """The item whose identity the row's SKU is; none, where the SKU only stands for another."""
    if "body" in row:
        return codec.decode(unpack(row["body"]), StockItem)
    return StockItem(sku_of(row), sku_of(row)) if "created_at" in row else None


def _meaning(row: Item) -> str:
    if "means" in row:
        return text(row, "means")
    return sku_of(row) if "created_at" in row else ""


def _as_said(
    standing: StockItem | None, sku: str, wanted: Wanted, components: tuple[Part, ...]
) -> StockItem:
    """Without an identity, if it is to be a new item."""
    if standing is None or not standing.active:
        return StockItem("", sku, True, (), components, wanted.attributes, wanted.policy)
    if standing.is_kit != bool(components):
        raise NotAKit(sku)
    return replace(
        standing,
        attributes=wanted.attributes,
        policy=wanted.policy,
        components=components,
    )


def _tagged(kit: StockItem, components: Mapping[str, StockItem]) -> StockItem:
    inside = (components[part.item] for part in kit.components if part.item in components)
    return replace(kit, attributes=replace(kit.attributes, tags=tags_of(kit, inside)))


def _renamed_before(sku: str, item: StockItem | None) -> StockItem:
    """Told twice, it is renamed once."""
    if item is None or not item.former or item.former[-1].sku != sku:
        raise UnknownSku(sku)
    return item


def _as_it_was(old: Item | None) -> str:
    if old is None:
        return "attribute_not_exists(PK)"
    if "version" in old:
        return "#version = :was"
    return "attribute_exists(PK) AND attribute_not_exists(#version)"
