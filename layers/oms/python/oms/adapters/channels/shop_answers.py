"""What the answer of a shop's API means: done, not now, or never."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from itertools import permutations

from oms.adapters.channels.shop_api import Access, Later, RefusedByShop
from oms.adapters.web import Answer, Unreachable

LONGEST_WAIT = 3_600  # seconds; what asks for more is asked again then
MAILBOX = re.compile(r"[^\s@]+@[^\s@]+")
PASSING = frozenset({408, 409, 423, 425, 429})


def asked(
    access: Access,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> Answer:
    """One call; its answer whatever it says. Raises Later where there is none."""
    return asked_at(access, method, access.base_url + path, headers, body)


def asked_at(
    access: Access,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> Answer:
    try:
        return access.web.call(method, url, headers=headers, body=body)
    except Unreachable as error:
        raise Later(f"{access.channel}: no answer: {error}") from None


def settled(access: Access, answer: Answer) -> Answer:
    """The answer, if what was asked is done. Its body is in no error: it could echo a secret."""
    if 200 <= answer.status < 300:
        return answer
    said = f"{access.channel}: the shop answered {answer.status}"
    if answer.status in PASSING or answer.status >= 500:
        raise Later(said, delay(answer))
    raise RefusedByShop(said)


def delay(answer: Answer) -> int:
    """Seconds, rounded up; 0 where the shop does not say."""
    asked_for = answer.headers.get("retry-after", "")
    try:
        seconds = float(asked_for)
    except ValueError:
        return 0
    return min(-int(-seconds // 1), LONGEST_WAIT) if 0 < seconds < float("inf") else 0


def without_secrets(access: Access, said: str) -> str:
    """For people to read: a shop's own words, cut short, none of them anybody's e-mail address or a
    credential, nor two of them as basic authentication puts them together."""
    known = [secret for secret in access.credentials.values() if secret]
    pairs = [b64encode(f"{a}:{b}".encode()).decode() for a, b in permutations(known, 2)]
    for secret in [*pairs, *known]:
        said = said.replace(secret, "…")
    return MAILBOX.sub("…", said)[:300]
