"""Calls to an API by an access token: asked for with credentials, kept until it ends.

A refusal is told by its status and its codes, never by its words: those can name a person.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from oms.adapters.channels.shop_answers import (
    LONGEST_WAIT,
    PASSING,
    asked,
    asked_at,
    delay,
    without_secrets,
)
from oms.adapters.channels.shop_api import Access, Later, RefusedByShop
from oms.adapters.web import Answer, Unreachable

UNAUTHORIZED = 401
MARGIN = 60.0  # seconds before its end that a token is used no more
SHORTEST = 60  # seconds
LONGEST_TOKEN = 86_400  # seconds; what is said to last longer is asked for anew then
CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}", re.ASCII)
FORM = "application/x-www-form-urlencoded"

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Grant:
    """How a token is asked for: a form, sent to an address."""

    url: str
    form: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        said = json.dumps([self.url, dict(self.form), dict(self.headers)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


class TokenCalls:
    """`grant` is None where the credentials are a token that lasts; `headers` show a token."""

    def __init__(
        self,
        grant: Callable[[Access], Grant | None],
        headers: Callable[[Access, str], Mapping[str, str]],
        clock: Clock = time.monotonic,
    ) -> None:
        self._grant, self._headers, self._clock = grant, headers, clock
        self._kept: dict[str, tuple[str, float]] = {}

    def get(self, access: Access, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        return said(access, self._ask(access, "GET", path + asked_with(query), None))

    def send(self, access: Access, method: str, path: str, body: Any) -> Any:
        """What it answers, None where that is nothing."""
        return said(access, self._ask(access, method, path, json.dumps(body).encode()))

    def _ask(self, access: Access, method: str, path: str, body: bytes | None) -> Answer:
        """A token that was kept may have been taken back: then once more with a new one."""
        grant = self._grant(access)
        kept = grant is not None and grant.name in self._kept
        found = self._try(access, method, path, body, grant)
        if found.status != UNAUTHORIZED or grant is None:
            return found
        self._kept.pop(grant.name, None)
        return self._try(access, method, path, body, grant) if kept else found

    def _try(
        self, access: Access, method: str, path: str, body: bytes | None, grant: Grant | None
    ) -> Answer:
        headers = {
            "accept": "application/json",
            **self._headers(access, self._token(access, grant)),
        }
        if body is not None:
            headers["content-type"] = "application/json"
        return asked(access, method, path, headers, body)

    def _token(self, access: Access, grant: Grant | None) -> str:
        if grant is None:
            return credential(access, "access_token")
        token, ends = self._kept.get(grant.name, ("", 0.0))
        if token and self._clock() < ends:
            return token
        token, lasts = granted(access, grant)
        self._kept[grant.name] = token, self._clock() + lasts - MARGIN
        return token


def granted(access: Access, grant: Grant) -> tuple[str, float]:
    """A token and the seconds that it lasts."""
    headers = {"accept": "application/json", "content-type": FORM, **grant.headers}
    body = urlencode(grant.form).encode()
    found = said(access, asked_at(access, "POST", grant.url, headers, body))
    token = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token:
        raise Later(f"{access.channel}: no token in the answer", SHORTEST)
    lasts = found.get("expires_in")
    known = isinstance(lasts, int) and not isinstance(lasts, bool)
    return token, float(min(lasts, LONGEST_TOKEN)) if known else 0.0


def asked_with(query: Sequence[tuple[str, str]]) -> str:
    return f"?{urlencode(query)}" if query else ""


def credential(access: Access, name: str) -> str:
    if not (found := access.credentials.get(name)):
        raise RefusedByShop(f"{access.channel}: the credential {name!r} is missing")
    return found


def setting(access: Access, name: str) -> str:
    if not (found := access.settings.get(name)):
        raise RefusedByShop(f"{access.channel}: the setting {name!r} is missing")
    return found


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def said(access: Access, answer: Answer) -> Any:
    """What it says, if it was done. Raises Later or RefusedByShop."""
    if 200 <= answer.status < 300:
        return _read(access, answer)
    told = f"{access.channel}: the shop answered {answer.status}"
    if answer.status in PASSING or answer.status >= 500:
        raise Later(told, _wait(answer))
    codes = without_secrets(access, " ".join(_codes(answer)))
    raise RefusedByShop(f"{told} {codes}".strip())


def _read(access: Access, answer: Answer) -> Any:
    if not answer.body.strip():
        return None
    try:
        return answer.json()
    except Unreachable as error:
        raise Later(f"{access.channel}: {error}", SHORTEST) from None


def _wait(answer: Answer) -> int:
    """As long as it says; Amazon says its limit in calls a second."""
    if told := delay(answer):
        return told
    try:
        a_second = float(answer.headers.get("x-amzn-ratelimit-limit", ""))
    except ValueError:
        return SHORTEST
    known = 0 < a_second < math.inf
    return min(max(math.ceil(1 / a_second), 1), LONGEST_WAIT) if known else SHORTEST


def _codes(answer: Answer) -> Iterator[str]:
    """Of every error: `errors` is a list of them, or holds one under `error`."""
    try:
        found = answer.json()
    except Unreachable:
        return
    for each in _errors(found):
        for name in ("code", "errorId"):
            if CODE.fullmatch(str(each.get(name, ""))):
                yield str(each[name])


def _errors(found: Any) -> list[dict[str, Any]]:
    for name in ("errors", "error"):
        if isinstance(found, dict) and name in found:
            found = found[name]
    return [x for x in found if isinstance(x, dict)] if isinstance(found, list) else []
