"""A mail as its reader takes it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oms.domain.notices.brands import Brand
from oms.domain.notices.composing import Composed, Frame, built_in, compose
from oms.domain.notices.variables import Told, values_of
from oms.domain.order import Order


@dataclass(frozen=True)
class Letter:
    """`opening` is what comes before the items, without the greeting."""

    subject: str
    opening: str
    items: tuple[str, ...]
    closing: tuple[str, ...]


def composed(
    kind: str, order: Order, data: Mapping[str, Any], language: str = "en", name: str = ""
) -> Composed:
    values = values_of(Told(kind, order, data, language), name, "")
    return compose(built_in(kind, language), values, Frame(Brand(), language))


def letter(kind: str, order: Order, data: Mapping[str, Any], language: str = "en") -> Letter:
    said = composed(kind, order, data, language)
    _, *parts = said.text.strip("\n").split("\n\n")
    place = next((n for n, part in enumerate(parts) if part.startswith("  ")), len(parts))
    items = parts[place].splitlines() if place < len(parts) else []
    opening = " ".join(parts[:place]) if items else parts[0]
    closing = parts[place + 1 :] if items else parts[1:]
    return Letter(said.subject, opening, tuple(x.strip() for x in items), tuple(closing))
