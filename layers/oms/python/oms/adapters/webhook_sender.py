"""One message to one subscriber, signed as Standard Webhooks have it; what came of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache

from oms.adapters.web import Answer, Https, Unreachable, Web
from oms.domain.subscribers import LONGEST_WISH, Attempt
from oms.settings import is_local

PATIENCE = 15.0  # seconds
LONGEST_EXCERPT = 200  # characters
READ_FOR_EXCERPT = 2_000  # bytes
USER_AGENT = "oms-webhooks/1"
NO_ANSWER, NO_SECRET, REDIRECT = "no answer", "no secret", "redirect"
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]+")
MAILBOX = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
LONG_DIGITS = re.compile(r"\d[\d\s().-]{7,}\d")  # of a telephone, a card, an account
TOKENS = re.compile(r"(whsec_|v1,|Bearer )\S+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`wished`: how long the subscriber asks us to wait."""

    attempt: Attempt
    wished: timedelta = timedelta()


class WebhookSender:
    def __init__(self, web: Web, clock: Callable[[], float] = time.monotonic) -> None:
        self._web, self._clock = web, clock

    def send(
        self, url: str, message_id: str, body: bytes, secrets: Sequence[str], at: datetime
    ) -> Outcome:
        """Whatever it answers: it never raises for what the other side does."""
        if not secrets:
            return Outcome(Attempt(at, error=NO_SECRET))
        began = self._clock()
        try:
            answer = self._web.call(
                "POST", url, headers=signed(message_id, body, secrets, at), body=body
            )
        except Unreachable:
            return Outcome(Attempt(at, milliseconds=self._since(began), error=NO_ANSWER))
        excerpt = cleaned(answer.body, secrets)
        attempt = Attempt(at, answer.status, self._since(began), _error(answer), excerpt)
        return Outcome(attempt, wished(answer.headers, at))

    def _since(self, began: float) -> int:
        return round((self._clock() - began) * 1000)


def signed(message_id: str, body: bytes, secrets: Iterable[str], at: datetime) -> dict[str, str]:
    """By each of the secrets, the newest first."""
    from standardwebhooks.webhooks import Webhook

    text = body.decode()
    signatures = [Webhook(each).sign(message_id, at, text) for each in secrets]
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def wished(headers: Mapping[str, str], now: datetime) -> timedelta:
    """What `Retry-After` says, in seconds or as a date; an hour at most."""
    said = headers.get("retry-after", "").strip()
    if said.isdecimal() and len(said) < 10:
        return min(timedelta(seconds=int(said)), LONGEST_WISH)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, OverflowError):  # of a year or a zone that no calendar has
        return timedelta()
    if until.tzinfo is None:
        return timedelta()
    return min(max(until - now, timedelta()), LONGEST_WISH)


def cleaned(body: bytes, secrets: Iterable[str]) -> str:
    """The beginning of an answer, without what nobody should read in a log."""
    said = body[:READ_FOR_EXCERPT].decode(errors="replace")
    for secret in secrets:
        said = said.replace(secret, "(secret)")
    said = TOKENS.sub("(secret)", UNPRINTABLE.sub(" ", said))
    said = LONG_DIGITS.sub("(number)", MAILBOX.sub("(e-mail)", said))
    return said.strip()[:LONGEST_EXCERPT]


def _error(answer: Answer) -> str:
    if 200 <= answer.status < 300:
        return ""
    return REDIRECT if 300 <= answer.status < 400 else f"HTTP {answer.status}"


@cache
def webhook_sender() -> WebhookSender:
    """Stands on this machine are called on the embedded cloud alone."""
    return WebhookSender(Https(PATIENCE, private=is_local()))
