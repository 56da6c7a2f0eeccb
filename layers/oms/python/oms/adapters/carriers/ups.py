"""UPS: Track Alert, one event a message, and the answers of its tracking API."""

from __future__ import annotations

from collections.abc import Iterator

from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.carriers.codes import meaning
from oms.adapters.carriers.said import MAX_PARCELS, Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingStatus, TrackingUpdate

_S = TrackingStatus

# What a type allows its finer codes to say. Only `D` is a delivery, whatever else they say.
ALLOWED = {
    "D": frozenset({_S.DELIVERED, _S.AVAILABLE_FOR_PICKUP, _S.RETURN_TO_SENDER}),
    "I": frozenset(_S) - {_S.DELIVERED, _S.UNKNOWN},
    "X": frozenset({_S.ATTEMPT_FAILED, _S.AVAILABLE_FOR_PICKUP, _S.RETURN_TO_SENDER, _S.LOST}),
    "M": frozenset({_S.EXCEPTION}),
    "": frozenset(_S) - {_S.UNKNOWN},
}
# Where the code of an activity of this type is looked up.
SECTIONS = {"D": "dials", "X": "exception", "I": "uld", "M": "manifest"}


class Ups:
    code = "ups"

    def verify(self, call: Call, secret: str) -> bool:
        """They sign nothing: what was agreed on at subscription comes back with each message."""
        return bool(secret) and same(call.header("credential"), secret)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        number = event.text("trackingNumber", "inquiryNumber")
        if not event.part("activityStatus").members:
            return Ignored("it says nothing of where the parcel is")
        return (told(self.code, number, _alert(event)),)

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:
        answer = parsed(self.code, body)
        _no_error(answer.part("response").parts("errors"))
        shipments = answer.part("trackResponse").parts("shipment", MAX_PARCELS)
        found = tuple(each for shipment in shipments for each in _parcels(shipment, number))
        if not found:
            _no_error(each for shipment in shipments for each in shipment.parts("warnings"))
            answer.refuse("the answer has no shipment")
        return found


def status_of(kind: str, code: str, described: str, section: str = "") -> TrackingStatus | None:
    """`kind` is the type of an activity, `code` its own, `described` the number of its text, as
    `011` in Track Alert and `11` in the official list."""
    coarse = meaning("ups", "type", kind)
    finer = (
        meaning("ups", "status", described.lstrip("0")),
        meaning("ups", section or SECTIONS.get(kind, ""), code),
    )
    allowed = ALLOWED.get(kind if coarse else "", frozenset())
    said = [each for each in finer if each is not None and each in allowed and each is not coarse]
    return said[0] if said else coarse


def _alert(event: Said) -> Iterator[Seen]:
    status = event.part("activityStatus")
    kind, code = status.word("type").upper(), status.word("code")
    described = status.word("descriptionCode", "statusCode")
    at = event.joined("gmtActivityDate", "gmtActivityTime", zone="GMT")
    at = at or event.joined("localActivityDate", "localActivityTime")
    if at is not None:
        yield Seen(status_of(kind, code, described), at, code or described or kind)


def _parcels(shipment: Said, number: str) -> Iterator[TrackingUpdate]:
    for parcel in shipment.parts("package", MAX_PARCELS):
        named = parcel.word("trackingNumber") or shipment.word("inquiryNumber") or number
        if named:
            yield told("ups", named, _activities(parcel))


def _activities(parcel: Said) -> Iterator[Seen]:
    postal = "innovations" in parcel.part("service").word("description").lower()
    for each in parcel.parts("activity"):
        status = each.part("status")
        kind, code = status.word("type").upper(), status.word("code")
        at = each.joined("gmtDate", "gmtTime", zone="GMT")
        at = at or each.joined("date", "time", zone=each.word("gmtOffset"))
        if at is not None and (kind or code):
            section = "mail_innovations" if postal else ""
            described = status.word("statusCode")
            yield Seen(status_of(kind, code, described, section), at, code or described or kind)


def _no_error(said: Iterator[Said] | tuple[Said, ...]) -> None:
    for each in said:
        raise CarrierAnswered("ups", each.word("code"))
