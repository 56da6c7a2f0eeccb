"""Royal Mail: the answers of its tracking API v2, events of one item or summaries of several."""

from __future__ import annotations

from collections.abc import Iterator

from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.said import MAX_PARCELS, Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, is_relayed
from oms.domain.tracking import TrackingStatus, TrackingUpdate


class RoyalMail:
    code = "royal_mail"

    def verify(self, call: Call, secret: str) -> bool:
        return is_relayed(call, secret)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        return self.read_answer(call.body)

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:
        answer = parsed(self.code, body)
        pieces = answer.parts("mailPieces", MAX_PARCELS)
        found = tuple(_update(each, number) for each in pieces if "error" not in each)
        if not found:
            for error in (*answer.parts("errors"), *(each.part("error") for each in pieces)):
                raise CarrierAnswered(self.code, error.word("errorCode") or answer.word("httpCode"))
            answer.refuse("the answer has no item")
        return found


def _update(piece: Said, number: str) -> TrackingUpdate:
    """An item has an id and a bar code; the bar code is what is on its label."""
    own = piece.part("summary").word("oneDBarcode") or piece.word("mailPieceId")
    return told("royal_mail", number or own or piece.text("mailPieceId"), _seen(piece))


def _seen(piece: Said) -> Iterator[Seen]:
    """What the summary says is said of the last event; earlier ones have their code alone."""
    summary = piece.part("summary")
    last, at = summary.word("lastEventCode"), summary.moment("lastEventDateTime")
    if at is not None:
        category = summary.word("statusCategory")
        yield Seen(_status(last, category), at, last or category)
    for each in piece.parts("events"):
        code, moment = each.word("eventCode"), each.moment("eventDateTime")
        if code and moment and (code, moment) != (last, at):
            yield Seen(_status(code), moment, code)


def _status(code: str, category: str = "") -> TrackingStatus | None:
    return first_meaning("royal_mail", ("category", category), ("event", code))
