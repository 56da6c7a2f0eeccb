"""Who is one person, in a real table, while others merge and split as well."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.identities_table import IdentitiesTable
from oms.domain.identities import NotMerged, Person
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def name(dynamodb: DynamoDB) -> str:
    return create_table(dynamodb, "customers", f"customers-{uuid4()}")


@pytest.fixture
def table(dynamodb: DynamoDB, name: str) -> IdentitiesTable:
    return IdentitiesTable(dynamodb, name)


def ids(count: int) -> list[str]:
    own = uuid4().hex[:8]
    return [f"cus_{own}_{number}" for number in range(count)]


def test_who_was_never_merged_is_a_person_of_its_own(table: IdentitiesTable) -> None:
    assert table.person("cus_alone") == Person("cus_alone")


def test_whoever_of_them_is_asked_for_the_person_is_the_same(table: IdentitiesTable) -> None:
    a, b, c = ids(3)
    table.merge(b, c, at=AT, by="ada")
    person = table.merge(a, c, at=AT, by="ada")

    assert person.root == a
    assert {table.person(x) for x in (a, b, c)} == {person}


def test_merging_again_changes_nothing(table: IdentitiesTable) -> None:
    a, b = ids(2)
    person = table.merge(a, b, at=AT, by="ada")

    assert table.merge(b, a, at=AT, by="bob") == person


def test_who_was_merged_into_a_person_that_was_being_erased_stands_alone(
    table: IdentitiesTable, dynamodb: DynamoDB, name: str
) -> None:
    a, b, c, d = ids(4)
    table.merge(b, c, at=AT, by="ada")
    table.merge(a, b, at=AT, by="ada")  # after the erasure of `a` has asked who it is
    dynamodb.delete_item(TableName=name, Key=db.key(f"PERSON#{a}", "IDENTITY"))

    assert [table.person(x) for x in (a, b, c)] == [Person(a), Person(b), Person(c)]
    person = table.merge(b, d, at=AT, by="ada")
    assert table.person(d) == table.person(b) == person
    assert table.merge(d, c, at=AT, by="ada").identities == (b, d, c)


def test_a_split_gives_back_what_was(table: IdentitiesTable) -> None:
    a, b, c = ids(3)
    before = table.merge(b, c, at=AT, by="ada")
    table.merge(a, b, at=AT, by="ada")

    assert table.split(b) == before
    assert (table.person(a), table.person(c)) == (Person(a), before)
    with pytest.raises(NotMerged):
        table.split(b)


def test_two_who_merge_each_into_the_other_make_one_person(table: IdentitiesTable) -> None:
    for _ in range(5):
        a, b = ids(2)
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(table.merge, *pair, at=AT, by="ada") for pair in ((a, b), (b, a))]
            found = {each.result() for each in asked}
        assert len(found) == 1
        assert table.person(a) == table.person(b)
        assert len(table.person(a).links) == 1


def test_many_merges_at_once_make_one_tree(table: IdentitiesTable) -> None:
    members = ids(6)
    pairs = list(pairwise(members))
    with ThreadPoolExecutor(len(pairs)) as pool:
        list(pool.map(lambda pair: table.merge(*pair, at=AT, by="ada"), pairs))

    assert len({table.person(each) for each in members}) == 1
    assert sorted(table.person(members[0]).identities) == sorted(members)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", range(1, 4))
def test_a_merge_that_a_crash_has_ended_is_done_or_not_done(
    dynamodb: DynamoDB, name: str, table: IdentitiesTable, dies_at: int, *, after: bool
) -> None:
    a, b = ids(2)
    mortal = IdentitiesTable(Mortal(dynamodb, dies_at, after), name)
    with pytest.raises(Crash):
        mortal.merge(a, b, at=AT, by="ada")

    done = dies_at == 3 and after
    assert table.person(b).root == (a if done else b)
    assert table.merge(a, b, at=AT, by="ada").identities == (a, b)


numbers = st.integers(0, 4)
deeds = st.lists(st.tuples(st.booleans(), numbers, numbers), max_size=12)


@given(deeds=deeds)
@settings(max_examples=25, deadline=None)
def test_the_rows_say_what_the_links_say(
    dynamodb: DynamoDB, name: str, deeds: list[tuple[bool, int, int]]
) -> None:
    table, members, parents = IdentitiesTable(dynamodb, name), ids(5), dict[str, str]()

    def root(each: str) -> str:
        return root(parents[each]) if each in parents else each

    for merges, one, other in deeds:
        a, b = members[one], members[other]
        if merges:
            if root(a) != root(b):
                parents[root(b)] = root(a)
            table.merge(a, b, at=AT, by="ada")
        elif a in parents:
            table.split(a)
            del parents[a]
    assert {x: table.person(x).root for x in members} == {x: root(x) for x in members}
