"""Calls to other systems over HTTPS: one try each, with a deadline; whoever calls decides again."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from time import monotonic
from typing import Any, Protocol

from oms.settings import is_local

MAX_ANSWER = 10_000_000  # bytes, unpacked too
PIECE = 256 * 1024
PATIENCE = 20.0  # seconds for one call
PLAIN, PACKED = ("", "identity"), ("gzip", "x-gzip", "deflate")


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
    """By urllib3, which botocore brings along; connections are kept.

    Addresses are put in by people: none but public ones are asked, unless `private`."""

    def __init__(self, patience: float = PATIENCE, *, private: bool = False) -> None:
        import urllib3

        from oms.adapters.public_addresses import only_public

        # A header that is none is a ValueError, and tells its value.
        self._errors = (urllib3.exceptions.HTTPError, ValueError)
        self._patience = patience
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(patience), retries=False, maxsize=10, num_pools=20
        )
        if not private:
            only_public(self._pool)

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        until = monotonic() + self._patience
        try:
            found = self._pool.request(
                method,
                url,
                headers={**(headers or {})},
                body=body,
                redirect=False,
                preload_content=False,
            )
            octets = _read(found, until)
        except self._errors as error:
            raise Unreachable(type(error).__name__) from None
        said = {k.lower(): v for k, v in found.headers.items()}
        return Answer(found.status, said, unpacked(octets, said.get("content-encoding", "")))


def _read(found: Any, until: float) -> bytes:
    """As it came. A connection that has more to say is not kept."""
    read, octets = getattr(found, "read1", found.read), bytearray()
    while piece := read(PIECE, decode_content=False):
        octets += piece
        if len(octets) > MAX_ANSWER or monotonic() > until:
            found.close()
            raise Unreachable("the answer is too long, or takes too long")
    found.release_conn()
    return bytes(octets)


def unpacked(octets: bytes, packing: str) -> bytes:
    """In bounded memory: a few bytes may say that they are many. Raises Unreachable."""
    packing = packing.strip().lower()
    if packing in PLAIN or not octets:
        return octets
    if packing not in PACKED:
        raise Unreachable("the answer is packed in a way that nobody has asked for")
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # of gzip or of zlib, as its head says
    try:
        found = unpacking.decompress(octets, MAX_ANSWER + 1)
    except zlib.error:
        raise Unreachable("the answer cannot be unpacked") from None
    if len(found) > MAX_ANSWER or not unpacking.eof:
        raise Unreachable(f"the answer has more than {MAX_ANSWER:,} bytes, or is cut short")
    return found


@cache
def web() -> Web:
    return Https(private=is_local())
