"""Shippo's `track_updated`: the carrier's whole history of a parcel, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from oms.adapters.carriers.base import Ignored, hex_mac
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.names import ours
from oms.adapters.carriers.said import Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingUpdate


class Shippo:
    code = "shippo"

    def verify(self, call: Call, secret: str) -> bool:
        parts = [part.strip().partition("=") for part in _header(call).split(",")]
        at = next((value for name, _, value in parts if name == "t"), "")
        if not secret or not is_recent(call, at):
            return False
        wanted = hex_mac(f"{at}.".encode() + call.body, secret)
        return any(same(value, wanted) for name, _, value in parts if name == "v1")

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        if (topic := event.text("event")) != "track_updated":
            return Ignored(f"{topic} is no tracking event")
        track = event.part("data")
        number = track.text("tracking_number")
        return (told(self.code, number, _seen(track), ours(track.word("carrier"))),)


def signature(body: bytes, secret: str, at: datetime) -> str:
    """The value of `Shippo-Auth-Signature`."""
    second = str(int(at.timestamp()))
    return f"t={second},v1={hex_mac(f'{second}.'.encode() + body, secret)}"


def is_recent(call: Call, second: str) -> bool:
    """Whether these seconds since 1970 are within the replay window of the call."""
    if not second.isascii() or not second.isdigit() or len(second) > 10:
        return False
    return call.is_fresh(datetime.fromtimestamp(int(second), UTC))


def _header(call: Call) -> str:
    return call.header("shippo-auth-signature")


def _seen(track: Said) -> Iterator[Seen]:
    history = [seen for each in track.parts("tracking_history") if (seen := _event(each))]
    latest = _event(track.part("tracking_status"))
    if latest and latest not in history:
        yield latest
    yield from history


def _event(said: Said) -> Seen | None:
    at, word = said.moment("status_date"), said.word("status").upper()
    if at is None or not word:
        return None
    detail = said.part("substatus").word("code") or said.word("substatus")
    status = first_meaning("shippo", ("substatus", f"{word}:{detail}"), ("status", word))
    return Seen(status, at, detail or word)
