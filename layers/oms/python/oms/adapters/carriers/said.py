"""A carrier's message as it is read: what is absent is empty, what has a wrong shape is refused."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree

from oms.adapters.carriers.base import MalformedUpdate

MAX_SCANS = 1_000  # of one parcel; a long international way has about fifty
MAX_PARCELS = 1_000  # of one message
MAX_WORD = 100
MAX_DEPTH = 60
YEARS = range(2000, 2101)

# What North American carriers write for a zone; each is one offset, whatever the season.
ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0,
    "NST": -3.5, "NDT": -2.5, "AST": -4, "ADT": -3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5,
    "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "AKST": -9, "AKDT": -8, "HST": -10,
}  # fmt: skip

_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` in the carrier's own clock. `zoneless`: it named no zone, and was taken for UTC."""

    at: datetime
    zoneless: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """An object in a message of a carrier."""

    carrier: str
    members: dict[str, Any] = field(default_factory=dict)

    def __contains__(self, key: str) -> bool:
        return self.members.get(key) is not None

    def word(self, *keys: str) -> str:
        """The first of these that is a short word or a number; "" for none."""
        found = (_word(self.members.get(key)) for key in keys)
        return next((word for word in found if word), "")

    def text(self, *keys: str) -> str:
        """Likewise, of what must be there."""
        return self.word(*keys) or self.refuse(f"{keys[0]} is missing or is no text")

    def flag(self, key: str) -> bool:
        return self.members.get(key) is True or self.word(key).lower() in ("true", "1", "y")

    def part(self, key: str) -> Said:
        inner = self.members.get(key) or {}
        if isinstance(inner, str):
            return Said(self.carrier)  # an empty or a plain element
        if not isinstance(inner, dict):
            self.refuse(f"{key} is no object")
        return Said(self.carrier, inner)

    def parts(self, key: str, most: int = MAX_SCANS) -> tuple[Said, ...]:
        """A list of objects; one object is a list of one, as where XML was."""
        inner = self.members.get(key) or []
        several = inner if isinstance(inner, list) else [inner]
        if len(several) > most or not all(isinstance(each, dict) for each in several):
            self.refuse(f"{key} is no list of up to {most} objects")
        return tuple(Said(self.carrier, each) for each in several)

    def moment(self, *keys: str) -> Moment | None:
        """The first of these that is there. Raises MalformedUpdate if it is no time."""
        return next((self.read(word) for key in keys if (word := self.word(key))), None)

    def read(self, text: str, zone: str = "") -> Moment:
        """ISO 8601 or near to it. `zone`, an offset or a name, is of a time that has none."""
        try:
            at = datetime.fromisoformat(text)
            if at.tzinfo is None and (offset := _offset(zone)) is not None:
                at = at.replace(tzinfo=offset)
        except (ValueError, OverflowError):
            self.refuse("a time is no ISO 8601")
        if at.year not in YEARS:
            self.refuse("a time is not of this century")
        return Moment(at if at.tzinfo else at.replace(tzinfo=UTC), at.tzinfo is None)

    def joined(self, day: str, time: str = "", *, zone: str = "") -> Moment | None:
        """A day, and its time of day if it has one, each in a member of its own."""
        date, clock = self.word(day), self.word(time) if time else ""
        if not date:
            return None
        if not _DAY.fullmatch(date):
            self.refuse(f"{day} is no day")
        clock = clock.zfill(6) if clock.isdigit() else clock
        return self.read(f"{date}T{clock}" if clock else date, zone)

    def refuse(self, why: str) -> Any:
        raise MalformedUpdate(self.carrier, why)


def parsed(carrier: str, body: bytes) -> Said:
    """A message that is a JSON object."""
    return of_json(carrier, body)[0]


def of_json(carrier: str, body: bytes) -> tuple[Said, ...]:
    """A JSON object, or a list of them."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedUpdate(carrier, "the body is no JSON") from None
    several = said if isinstance(said, list) and said else [said]
    if len(several) > MAX_PARCELS or not all(isinstance(each, dict) for each in several):
        raise MalformedUpdate(carrier, "the body is no object")
    return tuple(Said(carrier, each) for each in several)


def of_xml(carrier: str, body: bytes) -> Said:
    """An XML document: its elements by their local names, attributes among them. No document type
    is read, so nothing in it is expanded."""
    body = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"\0" in body:  # UTF-16, in which a document type would not be found
        raise MalformedUpdate(carrier, "the body is no XML in UTF-8")
    if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise MalformedUpdate(carrier, "the body has a document type")
    try:
        root = ElementTree.fromstring(body)
        inner = _object(root, 0)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise MalformedUpdate(carrier, "the body is no XML") from None
    content = inner if isinstance(inner, dict) else {}
    return Said(carrier, {**content, "": _local(root.tag)})


def is_xml(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _object(element: ElementTree.Element, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(depth)
    children = [(_local(child.tag), _object(child, depth + 1)) for child in element]
    if not children and not element.attrib:
        return " ".join((element.text or "").split())
    found: dict[str, list[Any]] = {name: [value] for name, value in element.attrib.items()}
    for name, value in children:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _word(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value.strip()[:MAX_WORD] if isinstance(value, str) and value.isprintable() else ""


def _offset(zone: str) -> timezone | None:
    """`-05:00`, `-0500`, `+1`, `EST`; None for what is no zone."""
    name = zone.strip().upper()
    if name in ZONES:
        return timezone(timedelta(hours=ZONES[name]))
    found = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?(?::?\d{2})?", name)
    if not found:
        return None
    sign, hours, minutes = found.groups()
    shift = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-shift if sign == "-" else shift)
