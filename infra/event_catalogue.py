"""Writes docs/events.md from the event classes: `python -m infra.event_catalogue`."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from oms.contracts.events import CATALOGUE, Published

TARGET = Path(__file__).resolve().parents[1] / "docs" / "events.md"
HEAD = """# Events

Generated from `oms.domain.events` by `python -m infra.event_catalogue`; a test compares.

Every event is a row that was committed with the state it tells of. On the bus its detail is
`{"id", "type", "version", "at", "order_id", "seq", "actor", "data"}`: deduplicate by `id`, order by
`seq`. Fields with their default are left out. No event holds personal data.
"""


def document() -> str:
    return "\n".join([HEAD, *(_section(each) for each in CATALOGUE.values())])


def _section(event: Published) -> str:
    said = (event.type.__doc__ or "").strip()
    generated = said.startswith(f"{event.name}(")
    text = "" if generated else f"\n{' '.join(said.split())}\n"
    rows = "\n".join(f"| `{f.name}` | `{f.type}` | {_default(f)} |" for f in fields(event.type))
    table = f"\n| field | type | default |\n|---|---|---|\n{rows}\n" if rows else "\nNo data.\n"
    where = "in the history only" if event.quiet else f"`{event.source}`"
    return f"## {event.name}\n\n{where} · version {event.version}\n{text}{table}"


def _default(field: Any) -> str:
    return "" if field.default is MISSING else f"`{field.default!r}`"


if __name__ == "__main__":
    TARGET.write_text(document())
