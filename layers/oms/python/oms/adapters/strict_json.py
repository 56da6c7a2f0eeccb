"""JSON as its grammar says, and nothing that two readers could read differently."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

MAX_DIGITS = 18  # of an integer; no amount or quantity needs more


class BadJson(ValueError):
    pass


def parse_json(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_unique,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_integer,
        )
    except BadJson:
        raise
    except (ValueError, RecursionError):
        raise BadJson("the body is not valid JSON in UTF-8") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise BadJson("an object names one key twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise BadJson(f"an integer has more than {MAX_DIGITS} digits")
    return int(digits)


def _finite(digits: str) -> float:
    if not isfinite(number := float(digits)):
        raise BadJson("a number is too large")
    return number


def _no_number(name: str) -> Any:
    raise BadJson(f"{name} is not JSON")
