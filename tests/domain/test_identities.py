"""Merging and splitting, in any sequence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.identities import (
    MAX_IDENTITIES,
    NotMerged,
    Person,
    TooManyIdentities,
    merged,
    split,
)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
IDS = [f"cus_{letter}" for letter in "abcdefgh"]
identity = st.sampled_from(IDS)
deed = st.one_of(
    st.tuples(st.just("merge"), identity, identity), st.tuples(st.just("split"), identity)
)


class Forest:
    """Everybody, and the merges that were not undone: child to parent."""

    def __init__(self) -> None:
        self.persons = {each: Person(each) for each in IDS}
        self.parents: dict[str, str] = {}

    def of(self, customer_id: str) -> Person:
        return next(x for x in self.persons.values() if customer_id in x.identities)

    def do(self, what: str, *ids: str) -> None:
        (self.merge if what == "merge" else self.split)(*ids)

    def merge(self, one: str, other: str) -> None:
        into, gone = self.of(one), self.of(other)
        person = merged(into, gone, AT, "ada")
        if into.root != gone.root:
            self.parents[gone.root] = into.root
            del self.persons[gone.root]
        self.persons[person.root] = person

    def split(self, one: str) -> None:
        person = self.of(one)
        if person.root == one:
            with pytest.raises(NotMerged):
                split(person, one)
            return
        left, off = split(person, one)
        self.persons |= {left.root: left, off.root: off}
        del self.parents[one]

    def root_by_parents(self, customer_id: str) -> str:
        while customer_id in self.parents:
            customer_id = self.parents[customer_id]
        return customer_id


@given(st.lists(deed, max_size=40))
def test_after_any_merges_and_splits_each_identity_has_the_root_that_its_merges_lead_to(
    deeds: list[tuple[str, ...]],
) -> None:
    forest = Forest()
    for each in deeds:
        forest.do(*each)

    everybody = [x for person in forest.persons.values() for x in person.identities]
    assert sorted(everybody) == IDS
    assert {x: forest.of(x).root for x in IDS} == {x: forest.root_by_parents(x) for x in IDS}


@given(st.lists(deed, max_size=40))
def test_no_identity_is_merged_into_itself_on_any_way(deeds: list[tuple[str, ...]]) -> None:
    forest = Forest()
    for each in deeds:
        forest.do(*each)

    for person in forest.persons.values():
        parents = {link.child: link.parent for link in person.links}
        assert len(parents) == len(person.links)
        assert person.root not in parents
        for child in parents:
            way = [child]
            while way[-1] in parents:
                way.append(parents[way[-1]])
                assert len(way) <= len(IDS)
            assert way[-1] == person.root


@given(st.lists(deed, max_size=30), identity, identity)
def test_splitting_undoes_the_merge_exactly(
    deeds: list[tuple[str, ...]], one: str, other: str
) -> None:
    forest = Forest()
    for each in deeds:
        forest.do(*each)
    into, gone = forest.of(one), forest.of(other)
    person = merged(into, gone, AT, "ada")

    if into.root == gone.root:
        assert person == into
    else:
        assert split(person, gone.root) == (into, gone)


def test_what_was_merged_into_an_identity_afterwards_stays_where_it_is() -> None:
    a, b, c = (Person(each) for each in IDS[:3])
    ab = merged(a, b, AT, "ada")
    abc = merged(ab, c, AT + timedelta(days=1), "bob")

    left, off = split(abc, "cus_b")

    assert off == Person("cus_b")
    assert left.identities == ("cus_a", "cus_c")
    assert left.links[0].by == "bob"


def test_one_person_has_so_many_identities_and_not_more() -> None:
    person = Person("cus_0")
    for number in range(1, MAX_IDENTITIES):
        person = merged(person, Person(f"cus_{number}"), AT, "ada")

    assert len(person.identities) == MAX_IDENTITIES
    with pytest.raises(TooManyIdentities):
        merged(person, Person("cus_more"), AT, "ada")
