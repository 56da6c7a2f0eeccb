"""TrackingMore v4: a parcel of any carrier, in two legs, each with the times of its places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from oms.adapters.carriers.base import CarrierAnswered, Ignored, hex_mac
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.names import ours
from oms.adapters.carriers.said import MAX_PARCELS, Said, parsed
from oms.adapters.carriers.shippo import is_recent
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingStatus, TrackingUpdate

OK = "200"


class TrackingMore:
    code = "trackingmore"

    def verify(self, call: Call, secret: str) -> bool:
        """They sign the time alone, not the body: whoever sees one message may forge another for
        as long as the replay window lasts."""
        at = call.header("timestamp")
        if not secret or not is_recent(call, at):
            return False
        return same(call.header("signature"), hex_mac(at.encode(), secret))

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        trackings = event.parts("data", MAX_PARCELS)
        if not trackings:
            return Ignored("it is about no parcel")
        return tuple(_update(each) for each in trackings)

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:  # noqa: ARG002
        answer = parsed(self.code, body)
        if (code := answer.part("meta").text("code")) != OK:
            raise CarrierAnswered(self.code, code)
        return tuple(_update(each) for each in answer.parts("data", MAX_PARCELS))


def signature(secret: str, at: datetime) -> dict[str, str]:
    """The headers `timestamp` and `signature`."""
    second = str(int(at.timestamp()))
    return {"timestamp": second, "signature": hex_mac(second.encode(), secret)}


def _update(tracking: Said) -> TrackingUpdate:
    number = tracking.text("tracking_number")
    legs = [tracking.part(leg) for leg in ("destination_info", "origin_info")]
    couriers = (tracking.word("courier_code"), *(leg.word("courier_code") for leg in legs))
    return told("trackingmore", number, _seen(tracking, legs), ours(*couriers))


def _seen(tracking: Said, legs: list[Said]) -> Iterator[Seen]:
    """Their lists are newest first, the last leg's before the first's."""
    places = [each for leg in legs for each in leg.parts("trackinfo")]
    said = [seen for each in places if (seen := _place(each))]
    status, code = _status(tracking, "delivery_status", "substatus")
    at = tracking.moment("latest_checkpoint_time")
    if code and at and status not in {each.status for each in said}:
        yield Seen(status, at, code)
    yield from said


def _place(said: Said) -> Seen | None:
    at = said.moment("checkpoint_date")
    status, code = _status(said, "checkpoint_delivery_status", "checkpoint_delivery_substatus")
    return Seen(status, at, code) if at and code else None


def _status(said: Said, status: str, substatus: str) -> tuple[TrackingStatus | None, str]:
    word, detail = said.word(status), said.word(substatus)
    return first_meaning("trackingmore", ("substatus", detail), ("status", word)), detail or word
