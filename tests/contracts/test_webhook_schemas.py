"""What a message is said to be is what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oms.contracts.events import CATALOGUE
from oms.contracts.webhook_messages import MOST_BYTES, kept, message
from oms.contracts.webhook_schemas import message_schema, subscribable

GOLDEN = Path(__file__).parent / "events"
REF = "#/$defs/"
KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def faults(
    value: Any, schema: dict[str, Any], parts: dict[str, Any], at: str = ""
) -> Iterator[str]:
    """Of the words that our schemas use."""
    if "$ref" in schema:
        yield from faults(value, parts[schema["$ref"].removeprefix(REF)], parts, at)
    if "anyOf" in schema and all(list(faults(value, one, parts)) for one in schema["anyOf"]):
        yield f"{at} is none of them"
    if "const" in schema and value != schema["const"]:
        yield f"{at} is not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is not of {schema['enum']}"
    if "type" in schema and not isinstance(value, KINDS[schema["type"]]):
        yield f"{at} is no {schema['type']}"
    if isinstance(value, dict):
        yield from (f"{at}.{x} is missing" for x in schema.get("required", ()) if x not in value)
        known = schema.get("properties", {})
        for name, one in value.items():
            yield from faults(one, known[name], parts, f"{at}.{name}") if name in known else ()
            if known and name not in known:
                yield f"{at}.{name} is unknown"
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for place, one in enumerate(value):
            yield from faults(one, schema["items"], parts, f"{at}[{place}]")


@pytest.mark.parametrize("name", subscribable())
def test_every_event_that_was_ever_published_fits_its_schema(name: str) -> None:
    path = GOLDEN / f"{name}.{CATALOGUE[name].version}.json"
    if not path.exists():
        pytest.fail(f"{name} has no golden file")
    schema = message_schema(name)

    sent = json.loads(message(json.loads(path.read_text())))

    assert list(faults(sent, schema, schema["$defs"])) == []


def test_what_does_not_fit_is_found_out() -> None:
    schema = message_schema("StockLow")
    sent = {"type": "StockLow", "data": {"sku": 1}}

    found = list(faults(sent, schema, schema["$defs"]))

    assert {".timestamp is missing", ".data.sku is no string", ".data.threshold is missing"} <= set(
        found
    )


def test_an_event_that_is_too_large_is_told_without_its_data() -> None:
    noise = [f"{number * 2654435761 % 2**32:x}" for number in range(120_000)]
    envelope = {"id": "e", "type": "OrderPlaced", "at": "x", "data": {"noise": noise}}

    found = json.loads(kept(envelope))

    assert "data" not in found
    assert found["data_omitted"] is True
    small = {**envelope, "data": {"text": "a" * MOST_BYTES * 2}}
    assert json.loads(kept(small)) == small


def test_a_replay_is_marked() -> None:
    envelope = {"id": "e", "type": "OrderPlaced", "at": "x", "data": {}}

    assert json.loads(message(envelope, "rpl_1"))["replay"] == "rpl_1"
    assert "replay" not in json.loads(message(envelope))
