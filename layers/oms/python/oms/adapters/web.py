"""Calls to other systems over HTTPS: one try each, with a deadline; whoever calls decides again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

MAX_ANSWER = 10_000_000  # bytes
PATIENCE = 20.0  # seconds for one call


class Unreachable(Exception):
    """No answer, or none that can be read: nobody knows whether it was done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` have lower-case names."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Numbers with a point stay the text they are. Raises Unreachable."""
        try:
            return json.loads(self.body, parse_float=str)
        except (ValueError, RecursionError):
            raise Unreachable("the answer is no JSON") from None


class Web(Protocol):
    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Raises Unreachable. Redirects are not followed: a secret goes where it was sent."""


class Https:
    """By urllib3, which botocore brings along; connections are kept."""

    def __init__(self, patience: float = PATIENCE) -> None:
        import urllib3

        self._errors = urllib3.exceptions.HTTPError
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(patience), retries=False, maxsize=10, num_pools=20
        )

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        try:
            found = self._pool.request(
                method,
                url,
                headers={**(headers or {})},
                body=body,
                redirect=False,
                preload_content=False,
            )
            octets = found.read(MAX_ANSWER + 1, decode_content=True)
            found.release_conn()
        except self._errors as error:
            raise Unreachable(type(error).__name__) from None
        if len(octets) > MAX_ANSWER:
            raise Unreachable(f"the answer has more than {MAX_ANSWER:,} bytes")
        return Answer(found.status, {k.lower(): v for k, v in found.headers.items()}, octets)


@cache
def web() -> Web:
    return Https()
