"""DHL: Unified push and eCommerce Americas webhooks, and the answers of Unified, Express (MyDHL)
and Parcel DE. None of its pushes is signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.carriers.codes import first_meaning, meaning
from oms.adapters.carriers.said import MAX_PARCELS, Moment, Said, is_xml, of_xml, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, is_relayed
from oms.domain.tracking import TrackingStatus, TrackingUpdate

GERMAN = "Europe/Berlin"  # Parcel DE tells the time of where it is, without a zone
NOTHING_WRONG = frozenset({"", "0"})


class Dhl:
    code = "dhl"

    def verify(self, call: Call, secret: str) -> bool:
        return is_relayed(call, secret)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        return _updates(parsed(self.code, call.body)) or Ignored("it is about no parcel")

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:  # noqa: ARG002
        if is_xml(body):
            return _of_xml(of_xml(self.code, body))
        answer = parsed(self.code, body)
        found = _updates(answer)
        if not found and (error := answer.word("status")).isdigit() and "title" in answer:
            raise CarrierAnswered(self.code, error)
        return found or answer.refuse("the answer has no shipment")


def _updates(said: Said) -> tuple[TrackingUpdate, ...]:
    shipments = said.parts("shipments", MAX_PARCELS)
    packages = said.parts("packages", MAX_PARCELS)
    return tuple(
        told("dhl", each.text("shipmentTrackingNumber"), _express(each))
        if "shipmentTrackingNumber" in each
        else told("dhl", each.text("id"), _unified(each))
        for each in shipments
    ) + tuple(told("dhl", _package(each), _ecommerce(each)) for each in packages)


def _unified(shipment: Said) -> Iterator[Seen]:
    """Newest first; the shipment's own status is that of the newest, and may be told alone."""
    events = [seen for each in shipment.parts("events") if (seen := _unified_event(each))]
    own = _unified_event(shipment.part("status"))
    if own and own.status not in {each.status for each in events}:
        yield own
    yield from events


def _unified_event(said: Said) -> Seen | None:
    at, code = said.moment("timestamp"), said.word("statusCode")
    return Seen(meaning("dhl", "unified", code), at, code) if at and code else None


def _express(shipment: Said) -> Iterator[Seen]:
    for each in shipment.parts("events"):
        code, zone = each.word("typeCode"), each.word("GMTOffset", "gmtOffset")
        if code and (at := each.joined("date", "time", zone=zone)):
            yield Seen(meaning("dhl", "express", code), at, code)


def _package(said: Said) -> str:
    inner = said.part("package") if "package" in said else said
    return inner.text("trackingId", "dhlPackageId", "packageId")


def _ecommerce(said: Said) -> Iterator[Seen]:
    for each in said.parts("events"):
        code, text = each.word("primaryEventId"), each.word("primaryEventDescription")
        at = each.joined("date", "time", zone=_american(each.word("timeZone")))
        if at and (code or text):
            asked = (("ecommerce", code), ("ecommerce_text", text))
            yield Seen(first_meaning("dhl", *asked), at, code or text)


def _american(zone: str) -> str:
    """`ET` is the standard time of the east, as far as a scan is concerned."""
    return f"{zone[0]}ST" if zone in ("ET", "CT", "MT", "PT") else zone


def _of_xml(answer: Said) -> tuple[TrackingUpdate, ...]:
    """Parcel DE, or the retired XML of Express of which only the errors are read."""
    for status in (answer.part("Response").part("Status"), answer.part("AWBInfo").part("Status")):
        if "Condition" in status:
            raise CarrierAnswered("dhl", status.part("Condition").word("ConditionCode"))
    if (error := answer.word("code")) not in NOTHING_WRONG:
        raise CarrierAnswered("dhl", error)
    found = tuple(_of_piece(each) for each in answer.parts("data") if _is_piece(each))
    return found or answer.refuse("the answer has no shipment")


def _is_piece(said: Said) -> bool:
    return bool(said.word("piece-code")) and said.word("error-status") in NOTHING_WRONG


def _of_piece(piece: Said) -> TrackingUpdate:
    back = piece.flag("ruecksendung")
    listed = [event for inner in piece.parts("data") for event in inner.parts("data")]
    return told("dhl", piece.text("piece-code"), (_ice(each, back) for each in listed))


def _ice(event: Said, back: bool) -> Seen:
    text = event.text("event-timestamp")
    try:
        at = datetime.strptime(text, "%d.%m.%Y %H:%M").replace(tzinfo=ZoneInfo(GERMAN))
    except ValueError:
        event.refuse("a time is not as Parcel DE writes it")
    code = event.word("ice", "standard-event-code")
    status = meaning("dhl", "parcel_de", event.word("ice"))
    if status is TrackingStatus.DELIVERED and (back or event.flag("ruecksendung")):
        status = TrackingStatus.RETURN_TO_SENDER
    return Seen(status, Moment(at), code)
