from __future__ import annotations

from datetime import timedelta
from typing import Any

from functions.ops.api import app, waiting
from oms.adapters.attention import Waiting, WaitingPage
from oms.contracts.api import AttentionQuery
from oms.contracts.routes import ROUTES
from oms.domain import commands as c
from oms.domain.order import Order
from oms.domain.returns import Resolution, ReturnLine, Terms
from tests.builders import NOW, Story, placement


class Listed:
    def __init__(self, *stories: Story) -> None:
        self.stories = {story.order_id: story for story in stories}

    def page(self, limit: int, cursor: str | None = None) -> WaitingPage:
        since = NOW + timedelta(hours=1)
        return WaitingPage(tuple(Waiting(each, since) for each in self.stories)[:limit], "more")

    def many(self, order_ids: list[str]) -> dict[str, Order]:
        found = (self.stories[order_id].order for order_id in order_ids)
        return {order.order_id: order for order in found if order.channel != "gone"}


def test_it_answers_its_routes_and_no_others() -> None:
    ours = {(route.method, route.path) for route in ROUTES if route.function_id == "OpsApi"}

    assert app.routes == ours


def test_what_needs_a_decision_is_told_with_its_reason_and_since_when() -> None:
    listed = Listed(Story().do(c.RaiseAttention("it is late")))

    page = waiting(AttentionQuery.read({}), listed, listed)

    (order,) = page.items
    assert (order.reason, order.status, order.placed_at) == ("it is late", "placed", NOW)
    assert order.since == NOW + timedelta(hours=1)
    assert page.cursor == "more"


def test_what_was_decided_or_is_gone_meanwhile_is_left_out() -> None:
    decided = Story().do(c.RaiseAttention("late"), c.ResolveAttention("retry"))
    gone = Story(placement(channel="gone"))
    listed = Listed(decided, gone)

    assert waiting(AttentionQuery.read({}), listed, listed).items == []


def test_a_return_that_needs_a_decision_is_told_as_such() -> None:
    story = Story().authorized().routed().shipped().captured().delivered()
    story.do(c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=Terms()))
    return_id = story.order.returns[0].return_id
    story.do(c.RaiseAttention("it was not inspected", return_id))

    class Returns(Listed):
        def page(self, limit: int, cursor: str | None = None) -> WaitingPage:
            return WaitingPage((Waiting(story.order_id, NOW, return_id),), None)

    (waits,) = waiting(AttentionQuery.read({}), Returns(story), Returns(story)).items

    assert (waits.return_id, waits.reason) == (return_id, "it was not inspected")
    assert (waits.order_id, waits.status) == (story.order_id, "approved")


def test_a_foreign_cursor_and_a_bad_body_are_the_callers_fault() -> None:
    listed: dict[str, Any] = {"routeKey": "GET /attention", "rawQueryString": "cursor=eHl6"}
    retry = {
        "routeKey": "POST /attention/{order_id}/retry",
        "pathParameters": {"order_id": "ord_a"},
        "body": '{"reson": "typo"}',
    }

    assert app.handle(listed, None)["statusCode"] == 400
    assert app.handle(retry, None)["statusCode"] == 422
