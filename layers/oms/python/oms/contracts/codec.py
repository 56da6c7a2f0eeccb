"""Rows and events as JSON: the domain's own dataclasses, read strictly, written without defaults.

A field that has its default is left out: a snapshot stays within one write unit, and a field
that is added later with a default is read from old rows as if it had always been there.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def encode(value: object) -> bytes:
    return msgspec.json.encode(slim(value))


def decode(octets: bytes, kind: type[T]) -> T:
    return msgspec.json.decode(octets, type=kind)


def slim(value: Any) -> Any:
    """The value as dicts and lists, without the fields that have their defaults."""
    if is_dataclass(value) and not isinstance(value, type):
        members = (
            (name, getattr(value, name), default) for name, default in _defaults(type(value))
        )
        return {name: slim(member) for name, member, default in members if member != default}
    if isinstance(value, tuple):
        return [slim(member) for member in value]
    return value


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, _default(field)) for field in fields(kind))


def _default(field: Any) -> Any:
    return MISSING if field.default is MISSING else field.default
