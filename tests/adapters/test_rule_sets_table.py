"""Versions never change, and what routes orders is switched by one person at a time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from oms.adapters.dynamodb import DynamoDB
from oms.adapters.rule_sets_table import RuleSetsTable
from oms.domain.errors import Conflict, NotFound
from oms.domain.locations import LocationKind
from oms.domain.routing.rules import DEFAULT_RULES, Objective, Rule, RuleSet, Then, When
from tests.tables import create_table

pytestmark = pytest.mark.cloud
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NO_STORES = RuleSet(
    "no stores",
    0,
    Objective.CHEAPEST,
    rules=(Rule("web", When(channels=("web",)), Then(exclude_kinds=(LocationKind.STORE,))),),
)


@pytest.fixture
def rule_sets(dynamodb: DynamoDB) -> RuleSetsTable:
    return RuleSetsTable(dynamodb, create_table(dynamodb, "stock", f"stock-{uuid4()}"))


def saved(rule_sets: RuleSetsTable, name: str = "no stores") -> int:
    found = rule_sets.save(NO_STORES, {"name": name}, at=AT, actor="user:1")
    return found.rule_set.version


def test_what_is_saved_is_read_as_it_was_said(rule_sets: RuleSetsTable) -> None:
    version = saved(rule_sets)

    found = rule_sets.get(version)

    assert found.document == {"name": "no stores"}
    assert found.rule_set.rules == NO_STORES.rules
    assert (found.saved_by, found.saved_at) == ("user:1", AT)


def test_the_same_document_again_is_the_same_version(rule_sets: RuleSetsTable) -> None:
    assert saved(rule_sets) == saved(rule_sets) == 1
    assert saved(rule_sets, "others") == 2
    assert saved(rule_sets) == 3


def test_ten_people_who_save_at_once_get_ten_versions(rule_sets: RuleSetsTable) -> None:
    with ThreadPoolExecutor(3) as threads:
        versions = list(threads.map(lambda n: saved(rule_sets, f"set {n}"), range(10)))

    assert sorted(versions) == list(range(1, 11))


def test_before_anything_is_saved_the_default_routes_every_order(rule_sets: RuleSetsTable) -> None:
    assert rule_sets.rule_set(rule_sets.active().version_for("ord_1")) is DEFAULT_RULES


def test_a_version_that_nobody_saved_is_not_found(rule_sets: RuleSetsTable) -> None:
    with pytest.raises(NotFound):
        rule_sets.get(7)
    with pytest.raises(NotFound):
        rule_sets.activate(7, None, at=AT, actor="user:1")


def test_a_canary_routes_its_share_and_always_the_same_orders(rule_sets: RuleSetsTable) -> None:
    version = saved(rule_sets)
    rule_sets.activate(version, 20, at=AT, actor="user:1")
    active = rule_sets.active()

    chosen = [active.version_for(f"ord_{number}") for number in range(1_000)]

    assert chosen == [active.version_for(f"ord_{number}") for number in range(1_000)]
    assert 150 < Counter(chosen)[version] < 250
    assert set(chosen) == {0, version}


def test_a_roll_back_ends_the_canary_first_and_then_goes_one_back(
    rule_sets: RuleSetsTable,
) -> None:
    first, second = saved(rule_sets), saved(rule_sets, "others")
    rule_sets.activate(first, None, at=AT, actor="user:1")
    rule_sets.activate(second, 50, at=AT, actor="user:1")

    assert rule_sets.roll_back(at=AT, actor="user:1").canary is None
    assert rule_sets.roll_back(at=AT, actor="user:1").version == 0
    assert rule_sets.active().previous == first


def test_what_was_never_switched_cannot_be_rolled_back(rule_sets: RuleSetsTable) -> None:
    with pytest.raises(Conflict):
        rule_sets.roll_back(at=AT, actor="user:1")


def test_the_version_that_routes_all_orders_is_no_canary(rule_sets: RuleSetsTable) -> None:
    rule_sets.activate(version := saved(rule_sets), None, at=AT, actor="user:1")

    with pytest.raises(Conflict):
        rule_sets.activate(version, 10, at=AT, actor="user:1")


def test_the_list_is_newest_first_and_goes_on_where_a_page_ends(rule_sets: RuleSetsTable) -> None:
    for number in range(5):
        saved(rule_sets, f"set {number}")

    first, more = rule_sets.page(2)
    second, rest = rule_sets.page(2, more)
    third, end = rule_sets.page(2, rest)

    found = [each.rule_set.version for each in (*first, *second, *third)]
    assert found == [5, 4, 3, 2, 1]
    assert end is None


def test_before_the_first_version_there_is_none(rule_sets: RuleSetsTable) -> None:
    saved(rule_sets)

    assert rule_sets.page(10, before=0) == ((), None)
