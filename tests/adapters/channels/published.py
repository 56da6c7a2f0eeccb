"""What a platform has published of its requests, as JSON Schema, and what breaks it.

Of JSON Schema as much as these need: type, required, properties, enum, items, oneOf, minimum,
maxLength. A property that the platform does not name is a fault: it would be ignored there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def faults(given: object, schema: Schema, at: str = "body") -> Iterator[str]:
    value: Any = given
    if "oneOf" in schema:
        fitting = [x for x in schema["oneOf"] if not any(faults(value, x, at))]
        if len(fitting) != 1:
            yield f"{at} fits {len(fitting)} of {len(schema['oneOf'])} forms"
        return
    kind = schema["type"]
    if not isinstance(given, TYPES[kind]) or (isinstance(given, bool) and kind != "boolean"):
        yield f"{at} is no {kind}"
    elif kind == "object":
        yield from _of_object(value, schema, at)
    elif kind == "array":
        for place, each in enumerate(value):
            yield from faults(each, schema["items"], f"{at}[{place}]")
    else:
        yield from _of_plain(value, schema, at)


def _of_object(value: dict[str, Any], schema: Schema, at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (
        f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value
    )
    for name, each in value.items():
        if name not in known:
            yield f"{at}.{name} is not known"
        else:
            yield from faults(each, known[name], f"{at}.{name}")


def _of_plain(value: Any, schema: Schema, at: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is none of {schema['enum']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{at} is below {schema['minimum']}"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield f"{at} is too long"
