"""FedEx: Advanced Integrated Visibility, and the answers of its tracking API, which look alike;
and those of its older XML service."""

from __future__ import annotations

from collections.abc import Iterator

from oms.adapters.carriers.base import CarrierAnswered, Ignored, base64_mac, hex_mac
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.said import MAX_PARCELS, Said, is_xml, of_xml, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingStatus, TrackingUpdate

BAD = frozenset({"ERROR", "FAILURE"})


class FedEx:
    code = "fedex"

    def verify(self, call: Call, secret: str) -> bool:
        """Their documentation says base64 in one place and hex in another: either is theirs."""
        given = call.header("fdx-signature")
        is_base64 = same(given, base64_mac(call.body, secret))
        is_hex = same(given.lower(), hex_mac(call.body, secret))
        return bool(secret) and (is_base64 or is_hex)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        return tuple(_updates(event)) or Ignored("it is about no parcel")

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:  # noqa: ARG002
        if is_xml(body):
            return _of_reply(of_xml(self.code, body))
        answer = parsed(self.code, body)
        found = tuple(_updates(answer))
        if not found:
            for each in (*answer.parts("errors"), *_errors(answer)):
                raise CarrierAnswered(self.code, each.word("code"))
            answer.refuse("the answer has no parcel")
        return found


def signature(body: bytes, secret: str) -> str:
    """The value of `fdx-signature`."""
    return base64_mac(body, secret)


def _results(said: Said) -> Iterator[Said]:
    """Of one number there are several where it was used again."""
    output = said.part("output") if "output" in said else said
    for complete in output.parts("completeTrackResults", MAX_PARCELS):
        yield from complete.parts("trackResults")
    if "trackingNumberInfo" in output:
        yield output


def _updates(said: Said) -> Iterator[TrackingUpdate]:
    for result in _results(said):
        events = tuple(_events(result))
        if events or "error" not in result:
            number = result.part("trackingNumberInfo").text("trackingNumber")
            yield told("fedex", number, events)


def _errors(said: Said) -> Iterator[Said]:
    for result in _results(said):
        if "error" in result:
            yield result.part("error")


def _events(result: Said) -> Iterator[Seen]:
    for each in result.parts("scanEvents"):
        if (at := each.moment("date")) and (code := each.word("eventType", "derivedStatusCode")):
            yield Seen(status_of(code, each.word("derivedStatusCode")), at, code)


def status_of(code: str, derived: str = "") -> TrackingStatus | None:
    """A scan is of the movement of a parcel, or else of its clearance; never of who has it."""
    asked = (("movement", code), ("regulatory", code), ("derived", derived))
    found = first_meaning("fedex", *asked)
    unsure = found is TrackingStatus.DELIVERED and code.upper() != "DL"
    return None if unsure else found


def _of_reply(reply: Said) -> tuple[TrackingUpdate, ...]:
    """Of the XML service: several parcels, each with its own error or its events."""
    completed = reply.parts("CompletedTrackDetails")
    details = [each for inner in completed for each in inner.parts("TrackDetails")]
    found = tuple(
        told("fedex", each.text("TrackingNumber"), _of_details(each))
        for each in details
        if not _failure(each, "Notification")
    )
    if not found:
        wrong = [_failure(each, "Notifications") for each in (reply, *completed)]
        wrong += [_failure(each, "Notification") for each in details]
        for failure in filter(None, wrong):
            raise CarrierAnswered("fedex", failure)
    return found or reply.refuse("the answer has no parcel")


def _of_details(details: Said) -> Iterator[Seen]:
    for each in details.parts("Events"):
        if (at := each.moment("Timestamp")) and (code := each.word("EventType")):
            yield Seen(status_of(code), at, code)


def _failure(said: Said, key: str) -> str:
    bad = (each for each in said.parts(key) if each.word("Severity") in BAD)
    return next((each.word("Code") or "unnamed" for each in bad), "")
