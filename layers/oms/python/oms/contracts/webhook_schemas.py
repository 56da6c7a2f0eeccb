"""The catalogue of events for those who are sent them: JSON Schema 2020-12 of each message."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from oms.contracts.events import CATALOGUE, ORDER_EVENTS, SERVICE, Published

DIALECT = "https://json-schema.org/draft/2020-12/schema"
STRING = {"type": "string"}
SUBJECTS = {  # what an event is of, by its type or its source
    SERVICE: "inquiry_id",
    "StoreCreditIssued": "account_id",
    "StoreCreditExpired": "account_id",
    "StockReceived": "sku",
    "StockFreed": "sku",
    "StockLow": "sku",
    "StockOut": "sku",
    "LocationChanged": "location_id",
}


@cache
def subscribable() -> tuple[str, ...]:
    """Types that are published."""
    return tuple(name for name, event in CATALOGUE.items() if not event.quiet)


def said_of(event: Published) -> str:
    """Its docstring, where somebody has written one."""
    text = " ".join((event.type.__doc__ or "").split())
    return "" if text.startswith(f"{event.name}(") else text


@cache
def message_schema(name: str) -> dict[str, Any]:
    """Of the message that tells of an event of this type."""
    event = CATALOGUE[name]
    (data,), parts = msgspec.json.schema_components([event.type], ref_template="#/$defs/{name}")
    required = ["type", "timestamp", "id", "version", "actor", "data"]
    return {
        "$schema": DIALECT,
        "title": name,
        **({"description": said} if (said := said_of(event)) else {}),
        "type": "object",
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time"},
            "id": {"type": "string", "description": "Of the event: deduplicate by it"},
            "version": {"const": event.version},
            **_subject(name),
            "actor": {"type": "string", "description": "Who did it"},
            "replay": {"type": "string", "description": "The replay that sends it once more"},
            "data_omitted": {"const": True, "description": "Too large: ask the API"},
            "data": data,
        },
        "required": [*required, *_subject(name)],
        "$defs": parts,
    }


def _subject(name: str) -> dict[str, Any]:
    event = CATALOGUE[name]
    if event.type not in ORDER_EVENTS:
        field = SUBJECTS.get(name) or SUBJECTS.get(event.source)
        return {field: STRING} if field else {}
    seq = {"type": "integer", "description": "Order the events of an order by it"}
    return {"order_id": STRING, "seq": seq}
