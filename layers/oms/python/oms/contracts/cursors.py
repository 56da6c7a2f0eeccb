"""Where a listing goes on. Opaque to clients: base64url of the last row's keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

MAX_LENGTH = 2_000
MAX_SORT_KEY = 1_024  # bytes that a table takes


class BadCursor(ValueError):
    def __init__(self) -> None:
        super().__init__("the cursor is none that this listing gave")


def encode_cursor(key: Mapping[str, str]) -> str:
    text = json.dumps(dict(key), separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> dict[str, str]:
    if len(cursor) > MAX_LENGTH:
        raise BadCursor
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded.encode("ascii"), b"-_", validate=True))
    except (ValueError, RecursionError):
        raise BadCursor from None
    if not _is_key(key) or encode_cursor(key) != cursor:
        raise BadCursor
    return key  # type: ignore[no-any-return]


def sort_key(given: str) -> str:
    """As a table takes it, or BadCursor: what is longer it refuses to look for."""
    if not 0 < len(given.encode()) <= MAX_SORT_KEY:
        raise BadCursor
    return given


def _is_key(key: object) -> bool:
    """Names to texts that a table can hold: a lone surrogate is no text."""
    if not isinstance(key, dict) or not key:
        return False
    return all(
        isinstance(v, str) and not any("\ud800" <= c <= "\udfff" for c in v) for v in key.values()
    )
