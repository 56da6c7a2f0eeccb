"""17track: what it was registered for, of one parcel or several, by its own numbers of carriers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.names import ours
from oms.adapters.carriers.said import MAX_PARCELS, Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingStatus, TrackingUpdate

# Their keys of carriers that we know by name.
CARRIERS = {
    "100002": "ups",
    "100003": "fedex",
    "100001": "dhl",
    "7041": "dhl",
    "7047": "dhl",
    "21051": "usps",
    "11031": "royal_mail",
    "3041": "canada_post",
    "1151": "australia_post",
}


class SeventeenTrack:
    code = "17track"

    def verify(self, call: Call, secret: str) -> bool:
        return bool(secret) and same(call.header("sign"), signature(call.body, secret))

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        if (topic := event.text("event")) != "TRACKING_UPDATED":
            return Ignored(f"{topic} says nothing new of where a parcel is")
        return tuple(_update(each) for each in event.parts("data", MAX_PARCELS))

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:  # noqa: ARG002
        answer = parsed(self.code, body)
        data = answer.part("data")
        if not data.members:
            answer.refuse("the answer has no data")
        found = tuple(_update(each) for each in data.parts("accepted", MAX_PARCELS))
        rejected = (*data.parts("rejected"), *data.parts("errors"))
        if not found and rejected:
            error = rejected[0].part("error").word("code") or rejected[0].word("code")
            raise CarrierAnswered(self.code, error)
        return found


def signature(body: bytes, secret: str) -> str:
    """The value of `sign`: no HMAC, but the body and the key in one digest."""
    return hashlib.sha256(body + b"/" + secret.encode()).hexdigest()


def _update(parcel: Said) -> TrackingUpdate:
    inner = parcel.part("track_info")
    track = Said(parcel.carrier, {**parcel.members, **inner.members})
    keys = (parcel.word("carrier"), *(key for key, _ in _providers(track)))
    names = (*(CARRIERS.get(key, "") for key in keys), *(name for _, name in _providers(track)))
    return told("17track", parcel.text("number"), _seen(track), ours(*names))


def _providers(track: Said) -> Iterator[tuple[str, str]]:
    for each in track.part("tracking").parts("providers"):
        provider = each.part("provider")
        yield provider.word("key"), provider.word("name")


def _seen(track: Said) -> Iterator[Seen]:
    """Every event of every carrier, then the latest status if no event says it."""
    events = [
        seen
        for provider in track.part("tracking").parts("providers")
        for each in provider.parts("events")
        if (seen := _event(each))
    ]
    latest = track.part("latest_status")
    status = _status(latest.word("sub_status"), latest.word("status"))
    at = track.part("latest_event").moment("time_iso", "time_utc")
    if latest.word("status") and at and status not in {each.status for each in events}:
        yield Seen(status, at, latest.word("sub_status", "status"))
    yield from events


def _event(said: Said) -> Seen | None:
    """An event without a stage was seen, and says nothing."""
    at = said.moment("time_iso", "time_utc")
    if at is None:
        return None
    sub_status, stage = said.word("sub_status"), said.word("stage")
    if not sub_status and not stage:
        return Seen(TrackingStatus.UNKNOWN, at, "")
    return Seen(_status(sub_status, stage), at, sub_status or stage)


def _status(sub_status: str, status: str) -> TrackingStatus | None:
    return first_meaning("17track", ("sub_status", sub_status), ("status", status))
