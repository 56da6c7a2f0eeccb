"""Rule sets in the stock table: versions that never change, and which of them routes orders.

RULESETS / VERSION#<number>   a version: its document, word for word, and the rules that it says
RULESETS / ACTIVE             the version in force, its canary, and the one before
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    client,
    get_row,
    key,
    n,
    number,
    pack,
    s,
    text,
    unpack,
)
from oms.contracts import codec
from oms.domain.errors import Conflict, Contended, NotFound, OmsError
from oms.domain.routing.rules import DEFAULT_RULES, RuleSet, chosen_version
from oms.settings import setting

PARTITION = "RULESETS"
VERSION = "VERSION#"
SAVE_ATTEMPTS = 20
MAX_BYTES = 390_000  # deflated, in both its forms: a row takes 400 KB
NOBODY = "system"


class RuleSetTooLarge(OmsError):
    def __init__(self, size: int) -> None:
        super().__init__(f"the rule set has {size:,} bytes; at most {MAX_BYTES:,} are kept")


@dataclass(frozen=True, slots=True)
class SavedRuleSet:
    rule_set: RuleSet
    document: Mapping[str, Any]
    saved_by: str
    saved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Active:
    """`percent` of the orders are routed by the `canary`. `changes` counts every switch."""

    version: int = 0
    canary: int | None = None
    percent: int | None = None
    previous: int | None = None
    changes: int = 0

    def version_for(self, order_id: str) -> int:
        return chosen_version(self.version, self.canary, self.percent or 0, order_id)

    def tried(self, version: int, percent: int) -> Active:
        if version == self.version:
            raise Conflict(f"version {version} routes all orders already")
        return replace(self, canary=version, percent=percent)

    def switched(self, version: int) -> Active:
        previous = self.previous if version == self.version else self.version
        return Active(version, previous=previous, changes=self.changes)

    def rolled_back(self) -> Active:
        """Without the canary; or, when there is none, to the version before."""
        if self.canary is not None:
            return replace(self, canary=None, percent=None)
        if self.previous is None:
            raise Conflict("there is no version to go back to")
        return Active(self.previous, previous=self.version, changes=self.changes)


DEFAULT = SavedRuleSet(DEFAULT_RULES, {"name": DEFAULT_RULES.name}, NOBODY)


class RuleSetsTable:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name
        self._known: dict[int, RuleSet] = {0: DEFAULT_RULES}

    def save(
        self, rule_set: RuleSet, document: Mapping[str, Any], *, at: datetime, actor: str
    ) -> SavedRuleSet:
        """As the next version; the newest version's document again is that version."""
        for _ in range(SAVE_ATTEMPTS):
            newest = self.page(1)[0]
            if newest and newest[0].document == document:
                return newest[0]
            version = newest[0].rule_set.version + 1 if newest else 1
            saved = SavedRuleSet(replace(rule_set, version=version), document, actor, at)
            if self._put(_row(saved), "attribute_not_exists(PK)", {}):
                return saved
        raise Contended("others save rule sets all the time")

    def get(self, version: int) -> SavedRuleSet:
        if version == 0:
            return DEFAULT
        if (row := get_row(self._client, self._table, key(PARTITION, _sort(version)))) is None:
            raise NotFound("rule set", str(version))
        return _read(row)

    def rule_set(self, version: int) -> RuleSet:
        """Versions never change: one that was read is known for good."""
        if version not in self._known:
            self._known[version] = self.get(version).rule_set
        return self._known[version]

    def page(
        self, limit: int, before: int | None = None
    ) -> tuple[tuple[SavedRuleSet, ...], int | None]:
        """Newest first, and the version to go on from."""
        newest = 10**9 if before is None else before
        values = {":pk": s(PARTITION), ":from": s(VERSION), ":to": s(_sort(newest))}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :from AND :to",
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit + 1,
        )
        found = [_read(item) for item in answer["Items"]]
        if "LastEvaluatedKey" in answer and len(found) <= limit:  # a page has 1 MB at most
            return tuple(found), found[-1].rule_set.version - 1
        more = found[limit].rule_set.version if len(found) > limit else None
        return tuple(found[:limit]), more

    def active(self, *, consistent: bool = True) -> Active:
        where = key(PARTITION, "ACTIVE")
        row = get_row(self._client, self._table, where, consistent=consistent)
        return codec.decode(unpack(row["body"]), Active) if row else Active()

    def activate(self, version: int, percent: int | None, *, at: datetime, actor: str) -> Active:
        self.get(version)
        seen = self.active()
        after = seen.tried(version, percent) if percent else seen.switched(version)
        return self._switch(seen, after, at, actor)

    def roll_back(self, *, at: datetime, actor: str) -> Active:
        seen = self.active()
        return self._switch(seen, seen.rolled_back(), at, actor)

    def _switch(self, seen: Active, after: Active, at: datetime, actor: str) -> Active:
        """Nobody's switch is undone by somebody who has not seen it."""
        after = replace(after, changes=seen.changes + 1)
        row = {
            **key(PARTITION, "ACTIVE"),
            "body": pack(codec.encode(after)),
            "changes": n(after.changes),
            "at": s(at.isoformat()),
            "actor": s(actor),
        }
        condition = "attribute_not_exists(PK) OR changes = :seen"
        if not self._put(row, condition, {":seen": n(seen.changes)}):
            raise Conflict("somebody else has switched the rule set just now")
        return after

    def _put(self, row: Item, condition: str, values: Item) -> bool:
        given = {"ExpressionAttributeValues": values} if values else {}
        try:
            self._client.put_item(
                TableName=self._table, Item=row, ConditionExpression=condition, **given
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _sort(version: int) -> str:
    return f"{VERSION}{version:09d}"


def _row(saved: SavedRuleSet) -> Item:
    assert saved.saved_at
    body = pack(codec.encode(saved.rule_set))
    document = pack(json.dumps(saved.document, ensure_ascii=False).encode())
    if (size := len(body.get("B", b"")) + len(document.get("B", b""))) > MAX_BYTES:
        raise RuleSetTooLarge(size)
    return {
        **key(PARTITION, _sort(saved.rule_set.version)),
        "version": n(saved.rule_set.version),
        "body": body,
        "document": document,
        "saved_at": s(saved.saved_at.isoformat()),
        "saved_by": s(saved.saved_by),
    }


def _read(item: Item) -> SavedRuleSet:
    rule_set = codec.decode(unpack(item["body"]), RuleSet)
    assert rule_set.version == number(item, "version")
    return SavedRuleSet(
        rule_set,
        json.loads(unpack(item["document"])),
        text(item, "saved_by"),
        datetime.fromisoformat(text(item, "saved_at")),
    )


@cache
def rule_sets_table() -> RuleSetsTable:
    return RuleSetsTable(client(), setting("STOCK_TABLE"))
