"""Australia Post: the answers of its tracking API. Its events have no codes: a few of its status
words are known, and where the events say none of them, the article's own status does."""

from __future__ import annotations

from collections.abc import Iterator

from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.carriers.codes import meaning
from oms.adapters.carriers.said import MAX_PARCELS, Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, is_relayed
from oms.domain.tracking import TrackingStatus, TrackingUpdate


class AustraliaPost:
    code = "australia_post"

    def verify(self, call: Call, secret: str) -> bool:
        return is_relayed(call, secret)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        return self.read_answer(call.body)

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:  # noqa: ARG002
        answer = parsed(self.code, body)
        results = answer.parts("tracking_results", MAX_PARCELS)
        found = tuple(each for result in results for each in _articles(result))
        if not found:
            errors = (*answer.parts("errors"), *(x for y in results for x in y.parts("errors")))
            for error in errors:
                raise CarrierAnswered(self.code, error.word("code"))
            answer.refuse("the answer has no article")
        return found


def _articles(result: Said) -> Iterator[TrackingUpdate]:
    """What is tracked is an article, or a consignment of several: each is a parcel."""
    for item in result.parts("trackable_items"):
        for article in item.parts("items") or (item,):
            own = article.word("status") or item.word("status") or result.word("status")
            number = article.word("article_id") or result.text("tracking_id")
            yield told("australia_post", number, _seen(article, own))


def _seen(article: Said, own: str) -> Iterator[Seen]:
    events = [seen for each in article.parts("events") if (seen := _event(each))]
    last = max((each.moment for each in events), key=lambda each: each.at, default=None)
    status = meaning("australia_post", "status", own)
    if own and last and status not in {each.status for each in events}:
        yield Seen(status, last, own)
    yield from events


def _event(said: Said) -> Seen | None:
    """An event in words that we do not know was seen, and says nothing."""
    at, words = said.moment("date"), said.word("description").partition(" - ")[0]
    status = meaning("australia_post", "status", words) or TrackingStatus.UNKNOWN
    return Seen(status, at, words) if at else None
