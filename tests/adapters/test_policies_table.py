"""Versions never change, nobody's is replaced unseen, and what is known is not read again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from oms.adapters.dynamodb import DynamoDB
from oms.adapters.policies_table import KNOWN_SECONDS, PoliciesTable
from oms.domain.errors import Conflict, NotFound
from oms.domain.screening import HoldPolicy, HoldRule, HoldThen, HoldWhen, Screening
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DEAR = HoldPolicy(
    (HoldRule("dear", HoldWhen(currency="EUR", min_total=100_000), HoldThen("approval")),)
)
SCREENED = HoldPolicy(screening=Screening("test"))


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def table(dynamodb: DynamoDB, watch: Watch) -> PoliciesTable:
    return PoliciesTable(dynamodb, create_table(dynamodb, "orders", f"orders-{uuid4()}"), watch)


def saved(table: PoliciesTable, document: HoldPolicy = DEAR, expected: int | None = None) -> int:
    return table.save("holds", document, expected=expected, at=AT, actor="user:1")


def elsewhere(table: PoliciesTable, client: DynamoDB | None = None) -> PoliciesTable:
    """Another environment on the same rows."""
    return PoliciesTable(client or table._client, table._table)


def test_before_anything_is_saved_the_default_is_in_force(table: PoliciesTable) -> None:
    assert table.current("holds", HoldPolicy) == (HoldPolicy(), 0)
    assert table.version("holds", 0, HoldPolicy).document == HoldPolicy()


def test_what_is_saved_is_in_force_with_who_and_when(table: PoliciesTable) -> None:
    assert (saved(table), saved(table, SCREENED)) == (1, 2)

    assert table.current("holds", HoldPolicy) == (SCREENED, 2)
    assert table.version("holds", 1, HoldPolicy).document == DEAR
    newest = table.newest("holds", HoldPolicy)
    assert (newest.saved_by, newest.saved_at) == ("user:1", AT)


def test_a_version_that_nobody_saved_is_not_found(table: PoliciesTable) -> None:
    with pytest.raises(NotFound):
        table.version("holds", 1, HoldPolicy)


def test_who_has_not_seen_the_version_in_force_replaces_nothing(table: PoliciesTable) -> None:
    saved(table)

    for seen in (0, 2, 7):
        with pytest.raises(Conflict):
            saved(table, SCREENED, seen)

    assert table.newest("holds", HoldPolicy).document == DEAR


def test_of_ten_people_who_replace_one_version_one_does(table: PoliciesTable) -> None:
    def tried(number: int) -> bool:
        try:
            saved(elsewhere(table), HoldPolicy(screening=Screening(f"s{number}")), 0)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(tried, range(10))) == 1
    assert table.newest("holds", HoldPolicy).version == 1


def test_policies_of_two_names_do_not_meet(table: PoliciesTable) -> None:
    saved(table)

    assert table.newest("returns", HoldPolicy).version == 0


def test_what_is_known_is_not_read_again_for_a_minute(table: PoliciesTable, watch: Watch) -> None:
    table.current("holds", HoldPolicy)
    saved(elsewhere(table))

    watch.now = KNOWN_SECONDS - 1
    assert table.current("holds", HoldPolicy)[1] == 0
    watch.now = KNOWN_SECONDS
    assert table.current("holds", HoldPolicy)[1] == 1


def test_who_saves_knows_at_once(table: PoliciesTable) -> None:
    table.current("holds", HoldPolicy)
    saved(table)

    assert table.current("holds", HoldPolicy)[1] == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_version_is_saved_whole_or_not_at_all(table: PoliciesTable, after: bool) -> None:
    mortal = Mortal(table._client, dies_at=1, after=after)

    with pytest.raises(Crash):
        saved(elsewhere(table, mortal), DEAR, 0)

    assert table.newest("holds", HoldPolicy).version == after
    if after:
        assert table.version("holds", 1, HoldPolicy).document == DEAR
