"""A merchant's own templates, in the reports table: versions that never change, and which is used.

TEMPLATE#<event>#<locale>#<brand> / VERSION#<number>   a version: its sources, who saved it and when
TEMPLATES / ACTIVE                                     which version of each is used, and which was
                                                       before: one row for all of them, so that one
                                                       read a minute finds every template
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.contracts import codec
from oms.domain.errors import Conflict, Contended, NotFound
from oms.domain.notices.composing import Sources
from oms.settings import setting

VERSION = "VERSION#"
ACTIVE = db.key("TEMPLATES", "ACTIVE")
EVERY_BRAND = "any"
KNOWN_SECONDS = 60.0
SAVE_ATTEMPTS = 20
MAX_NAMES = 2_000


@dataclass(frozen=True, slots=True)
class Name:
    """`brand`: one brand's, or `any`."""

    event: str
    locale: str
    brand: str = EVERY_BRAND

    @property
    def key(self) -> str:
        return f"{self.event}#{self.locale}#{self.brand}"


@dataclass(frozen=True, slots=True)
class SavedTemplate:
    name: Name
    version: int
    sources: Sources
    saved_by: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class InUse:
    """`previous`: 0 is the built-in one."""

    version: int
    previous: int = 0


@dataclass(frozen=True, slots=True)
class Active:
    """`changes` counts every switch."""

    templates: Mapping[str, InUse] = field(default_factory=dict)
    changes: int = 0

    def switched(self, name: Name, version: int) -> Active:
        was = self.templates.get(name.key, InUse(0))
        previous = was.previous if was.version == version else was.version
        return replace(self, templates={**self.templates, name.key: InUse(version, previous)})

    def rolled_back(self, name: Name) -> Active:
        was = self.templates.get(name.key)
        if was is None or was.version == was.previous:
            raise Conflict("there is no version to go back to")
        back = InUse(was.previous, was.version)
        return replace(self, templates={**self.templates, name.key: back})


class TemplatesTable:
    def __init__(
        self, client: DynamoDB, table: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._table, self._clock = client, table, clock
        self._seen: tuple[float, Active] = (-KNOWN_SECONDS, Active())
        self._known: dict[tuple[str, int], Sources] = {}

    def used(self, event: str, locale: str, brand: str) -> tuple[Sources, int, str] | None:
        """The merchant's own, its version and locale: the brand's before any brand's, the whole
        locale's before its language's. None: the built-in one. A minute may pass until a switch is
        seen everywhere."""
        active = self._glance()
        language = locale.partition("-")[0]
        for of_brand in (brand, EVERY_BRAND):
            for tag in dict.fromkeys((locale, language)):
                name = Name(event, tag, of_brand)
                found = active.templates.get(name.key)
                if found and found.version:
                    return self._sources(name, found.version), found.version, tag
        return None

    def _glance(self) -> Active:
        if self._clock() - self._seen[0] >= KNOWN_SECONDS:
            self._seen = (self._clock(), self.active(consistent=False))
        return self._seen[1]

    def _sources(self, name: Name, version: int) -> Sources:
        """Versions never change: one that was read is known for good."""
        known = (name.key, version)
        if known not in self._known:
            self._known[known] = self.get(name, version).sources
        return self._known[known]

    def save(self, name: Name, sources: Sources, *, at: datetime, actor: str) -> SavedTemplate:
        """As the next version; the newest version once more is that version."""
        for _ in range(SAVE_ATTEMPTS):
            newest = self.newest(name)
            if newest and newest.sources == sources:
                return newest
            version = newest.version + 1 if newest else 1
            saved = SavedTemplate(name, version, sources, actor, at)
            if self._put(_row(saved), "attribute_not_exists(PK)", {}):
                return saved
        raise Contended("others save this template all the time")

    def newest(self, name: Name) -> SavedTemplate | None:
        return next(iter(self.versions(name, 1)), None)

    def versions(self, name: Name, limit: int) -> tuple[SavedTemplate, ...]:
        """Newest first."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :version)",
            ExpressionAttributeValues={":pk": db.s(_partition(name)), ":version": db.s(VERSION)},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
        )
        return tuple(_read(name, row) for row in answer["Items"])

    def get(self, name: Name, version: int) -> SavedTemplate:
        where = db.key(_partition(name), _sort(version))
        if (row := db.get_row(self._client, self._table, where)) is None:
            raise NotFound("template", f"{name.key} {version}")
        return _read(name, row)

    def active(self, *, consistent: bool = True) -> Active:
        row = db.get_row(self._client, self._table, ACTIVE, consistent=consistent)
        return codec.decode(db.unpack(row["body"]), Active) if row else Active()

    def activate(self, name: Name, version: int, *, at: datetime, actor: str) -> Active:
        """Version 0 is the built-in one."""
        if version:
            self.get(name, version)
        seen = self.active()
        return self._switch(seen, seen.switched(name, version), at, actor)

    def roll_back(self, name: Name, *, at: datetime, actor: str) -> Active:
        seen = self.active()
        return self._switch(seen, seen.rolled_back(name), at, actor)

    def _switch(self, seen: Active, after: Active, at: datetime, actor: str) -> Active:
        """Nobody's switch is undone by somebody who has not seen it."""
        if len(after.templates) > MAX_NAMES:
            raise Conflict(f"at most {MAX_NAMES:,} templates are kept")
        after = replace(after, changes=seen.changes + 1)
        row = {
            **ACTIVE,
            "body": db.pack(codec.encode(after)),
            "changes": db.n(after.changes),
            "at": db.s(at.isoformat()),
            "actor": db.s(actor),
        }
        condition = "attribute_not_exists(PK) OR changes = :seen"
        if not self._put(row, condition, {":seen": db.n(seen.changes)}):
            raise Conflict("somebody else has switched a template just now")
        self._seen = (-KNOWN_SECONDS, Active())
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


@cache
def templates_table() -> TemplatesTable:
    return TemplatesTable(db.client(), setting("REPORTS_TABLE"))


def _partition(name: Name) -> str:
    return f"TEMPLATE#{name.key}"


def _sort(version: int) -> str:
    return f"{VERSION}{version:09d}"


def _row(saved: SavedTemplate) -> Item:
    return {
        **db.key(_partition(saved.name), _sort(saved.version)),
        "version": db.n(saved.version),
        "body": db.pack(codec.encode(saved.sources)),
        "saved_at": db.s(saved.saved_at.isoformat()),
        "saved_by": db.s(saved.saved_by),
    }


def _read(name: Name, row: Item) -> SavedTemplate:
    return SavedTemplate(
        name,
        db.number(row, "version"),
        codec.decode(db.unpack(row["body"]), Sources),
        db.text(row, "saved_by"),
        datetime.fromisoformat(db.text(row, "saved_at")),
    )
