from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.attention import AttentionList, attention_writes
from oms.adapters.dynamodb import transact
from oms.contracts.cursors import BadCursor, encode_cursor
from oms.domain import commands as c
from oms.domain.payment import OperationStatus
from oms.domain.returns import Resolution, ReturnLine, Terms
from tests.builders import NOW, Story, placement
from tests.tables import create_table

pytestmark = pytest.mark.cloud


@pytest.fixture
def name(dynamodb: Any) -> str:
    return create_table(dynamodb, "orders", f"orders-{uuid4().hex[:12]}")


def tell(client: Any, table: str, story: Story, command: c.Command, at: datetime = NOW) -> None:
    before = story.order
    after = story.do(command).order
    if writes := list(attention_writes(table, before, after, at)):
        transact(client, writes)


def raised(client: Any, table: str, number: int) -> Story:
    story = Story(placement(external_id=str(number)))
    at = NOW + timedelta(minutes=number)
    tell(client, table, story, c.RaiseAttention("it is late"), at)
    return story


def test_those_that_wait_longest_come_first(dynamodb: Any, name: str) -> None:
    stories = {number: raised(dynamodb, name, number) for number in (2, 0, 1)}

    page = AttentionList(dynamodb, name).page(10)

    assert [each.order_id for each in page.orders] == [stories[n].order_id for n in range(3)]
    assert page.orders[2].since == NOW + timedelta(minutes=2)
    assert page.cursor is None


def test_a_long_list_comes_in_pages(dynamodb: Any, name: str) -> None:
    stories = [raised(dynamodb, name, number) for number in range(5)]
    listed, cursor, found = AttentionList(dynamodb, name), None, []
    while True:
        page = listed.page(2, cursor)
        found += [each.order_id for each in page.orders]
        if (cursor := page.cursor) is None:
            break

    assert found == [story.order_id for story in stories]


@pytest.mark.parametrize("command", [c.ResolveAttention("retry"), c.CancelOrder("no")])
def test_what_is_decided_leaves_the_list(dynamodb: Any, name: str, command: c.Command) -> None:
    story = raised(dynamodb, name, 1)

    tell(dynamodb, name, story, command)

    assert AttentionList(dynamodb, name).page(10).orders == ()


def test_another_reason_leaves_the_order_where_it_stands(dynamodb: Any, name: str) -> None:
    story = raised(dynamodb, name, 1)

    tell(dynamodb, name, story, c.RaiseAttention("and worse"), NOW + timedelta(days=1))

    (waiting,) = AttentionList(dynamodb, name).page(10).orders
    assert waiting.since == NOW + timedelta(minutes=1)


def test_a_final_order_can_need_a_decision(dynamodb: Any, name: str) -> None:
    story = Story(placement(provider="external", captured=1500)).do(c.CancelOrder("no"))

    refused = c.RecordPaymentResult("op_3", 1, OperationStatus.FAILED, reason="account closed")
    tell(dynamodb, name, story, refused)

    (waiting,) = AttentionList(dynamodb, name).page(10).orders
    assert waiting.order_id == story.order_id


@pytest.mark.parametrize("given", [{"PK": "ORDER#a"}, {"PK": "SKU#a", "at": "1"}, {"x": "y"}])
def test_a_foreign_cursor_is_refused(dynamodb: Any, name: str, given: dict[str, str]) -> None:
    with pytest.raises(BadCursor):
        AttentionList(dynamodb, name).page(10, encode_cursor(given))


def test_a_return_that_needs_a_decision_is_listed_beside_its_order(
    dynamodb: Any, name: str
) -> None:
    story = Story().authorized().routed().shipped().captured().delivered()
    story.do(c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=Terms()))
    return_id = story.order.returns[0].return_id
    tell(dynamodb, name, story, c.RaiseAttention("late", return_id), NOW)
    tell(dynamodb, name, story, c.RaiseAttention("later", return_id), NOW + timedelta(days=1))

    listed = AttentionList(dynamodb, name)
    (waiting,) = listed.page(10).orders
    assert (waiting.order_id, waiting.return_id) == (story.order_id, return_id)
    assert waiting.since == NOW
    cursor = listed.page(1).cursor
    assert cursor is None or listed.page(1, cursor).orders == ()

    tell(dynamodb, name, story, c.ResolveAttention("ignore", return_id))
    assert listed.page(10).orders == ()
