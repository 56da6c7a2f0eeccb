"""Calls to a shop's REST API in JSON, with what its answers mean for whoever asks again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from oms.adapters.channels.shop_answers import LONGEST_WAIT, asked, settled, without_secrets
from oms.adapters.channels.shop_api import Access, Later, RefusedByShop
from oms.adapters.web import Answer, Unreachable

NOT_FOUND = 404
MARK = "Baton"


@dataclass(frozen=True, slots=True)
class ShopCalls:
    """`resets_in_ms` is the header in which a platform says how long its limit lasts."""

    access: Access
    headers: Mapping[str, str] = field(default_factory=dict)
    resets_in_ms: str = ""

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """None where nothing is at that address, or it answers with nothing."""
        answer = self._asked("GET", path + (f"?{urlencode(query)}" if query else ""), None)
        return None if answer.status == NOT_FOUND else self._read(answer)

    def rows(self, path: str, query: Sequence[tuple[str, str]] = ()) -> list[dict[str, Any]]:
        """A list of objects; empty where nothing is at that address."""
        found = self.get(path, query) or []
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise Later(f"{self.access.channel}: the answer is not the list that was asked for")
        return found

    def record(self, path: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """An object; empty where nothing is at that address."""
        return self.object_in(self.get(path, query) or {})

    def object_in(self, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise Later(f"{self.access.channel}: the answer is not the object that was asked for")
        return answer

    def post(self, path: str, body: Any) -> Any:
        return self._read(self._asked("POST", path, body))

    def put(self, path: str, body: Any) -> Any:
        return self._read(self._asked("PUT", path, body))

    def headers_of(self, method: str, url: str) -> Mapping[str, str]:
        """Those that say who asks."""
        return self.headers

    def _asked(self, method: str, path: str, body: Any) -> Answer:
        signed = self.headers_of(method, self.access.base_url + path)
        headers = {"accept": "application/json", **signed}
        if body is None:
            return asked(self.access, method, path, headers)
        headers["content-type"] = "application/json"
        return asked(self.access, method, path, headers, json.dumps(body).encode())

    def _read(self, answer: Answer) -> Any:
        try:
            settled(self.access, answer)
            return answer.json() if answer.body.strip() else None
        except Later as later:
            raise Later(str(later), max(later.after_seconds, self._reset(answer))) from None
        except RefusedByShop as refused:
            raise RefusedByShop(f"{refused}{self._why(answer)}") from None
        except Unreachable as error:
            raise Later(f"{self.access.channel}: {error}") from None

    def _reset(self, answer: Answer) -> int:
        """Seconds, rounded up; of an answer that was refused for its limit alone."""
        told = answer.headers.get(self.resets_in_ms, "")
        limited = answer.status == 429 and told.isascii() and told.isdecimal()
        return min(-(-int(told[:12]) // 1000), LONGEST_WAIT) if limited else 0

    def _why(self, answer: Answer) -> str:
        """The shop's first words about it, on one line, without anybody's address."""
        try:
            said = next(_messages(answer.json()), "")
        except Unreachable:
            return ""
        line = " ".join("".join(c if c.isprintable() else " " for c in said).split())
        named = " ".join("…" if "@" in word else word for word in line.split())
        return f": {without_secrets(self.access, named)}" if named else ""


def _messages(found: Any) -> Iterator[str]:
    """`{"message"}`, `{"title"}`, a list of such, or one under `data` or `errors`."""
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict):
            yield from (each[x] for x in ("message", "title") if isinstance(each.get(x), str))
            yield from _messages([y for x in ("data", "errors") for y in _listed(each.get(x))])


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def id_in(answer: Any, name: str = "id") -> str:
    """Of what was made; empty where the shop does not tell."""
    found = answer.get(name) if isinstance(answer, dict) else answer
    return str(found) if isinstance(found, int | str) else ""


def place(cursor: str) -> tuple[datetime, int] | None:
    """Of `<seconds>.<page>`: the second that changes are read from, and the page."""
    seconds, _, page = cursor.partition(".")
    return (datetime.fromtimestamp(int(seconds), UTC), int(page)) if cursor else None


def their_number(access: Access, value: str, what: str) -> int:
    """Ids of theirs that become parts of addresses and bodies are numbers."""
    if not (value.isascii() and value.isdecimal() and len(value) <= 20):
        raise RefusedByShop(f"{access.channel}: {what} {value[:40]!r} is no number")
    return int(value)


def marked(key: str) -> str:
    """What is written beside each thing that we do there, to know it again."""
    return f"[{MARK} {key}]"


def is_marked(said: Any) -> bool:
    return isinstance(said, str) and f"[{MARK} " in said
