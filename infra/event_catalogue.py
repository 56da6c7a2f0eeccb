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

## As webhooks

Subscribers (`POST /subscribers`) are sent the same by the scheme of Standard Webhooks: a POST of
`{"type", "timestamp", "id", "version", "order_id", "seq", "actor", "data"}`; `timestamp` is `at`.
An event of no order names what it is of instead: `sku`, `location_id`, `account_id`, `inquiry_id`.
`GET /events/catalogue/{type}` answers the JSON Schema of the message; `replay` marks one that a
replay sends again.

| header | |
|---|---|
| `webhook-id` | the same however often the event is sent to the subscriber: deduplicate by it |
| `webhook-timestamp` | seconds, when it was sent: refuse what is older than five minutes |
| `webhook-signature` | `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, by each secret |

Answer 2xx within 15 seconds. Anything else, a redirect too, is tried again after 5 s, 5 min,
30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, and given up after three days; 410 ends the
subscription, and 429 and 503 may say `Retry-After`, an hour at most. Messages come at least once
and in any order.
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
