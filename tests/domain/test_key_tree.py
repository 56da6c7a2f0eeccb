"""Keys that can be taken out of a tree for good."""

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.key_tree import DEPTH, ROOT, key_at, leaf, without

SEEDS = {ROOT: b"\x07" * 32}
names = st.text(min_size=1, max_size=20)


def test_a_key_is_always_the_same_and_nobody_elses() -> None:
    ada, bob = leaf("cus_ada", 0), leaf("cus_bob", 0)

    assert len(ada) == DEPTH
    assert key_at(SEEDS, ada) == key_at(SEEDS, ada)
    assert len({key_at(SEEDS, ada), key_at(SEEDS, bob), key_at(SEEDS, leaf("cus_ada", 1))}) == 3


@given(st.lists(names, max_size=12), names)
def test_a_destroyed_key_is_made_by_nothing_that_is_left(gone: list[str], name: str) -> None:
    seeds = SEEDS
    for each in [*gone, name]:
        seeds = without(seeds, leaf(each, 0))

    destroyed = key_at(SEEDS, leaf(name, 0))
    assert key_at(seeds, leaf(name, 0)) is None
    assert not any(leaf(name, 0).startswith(place) for place in seeds)
    assert destroyed not in seeds.values()


@given(st.lists(names, max_size=12), st.lists(names, max_size=12))
def test_every_other_key_stays_what_it_was(gone: list[str], others: list[str]) -> None:
    seeds = SEEDS
    for each in gone:
        seeds = without(seeds, leaf(each, 0))

    for each in set(others) - set(gone):
        assert key_at(seeds, leaf(each, 0)) == key_at(SEEDS, leaf(each, 0))


@given(st.permutations(["a", "b", "c", "d", "a"]))
def test_the_same_is_left_whatever_was_destroyed_first_and_twice(order: list[str]) -> None:
    one, other = SEEDS, SEEDS
    for each in order:
        one = without(one, leaf(each, 0))
    for each in "abcd":
        other = without(other, leaf(each, 0))

    assert one == other


def test_what_is_left_grows_by_the_way_down_at_most() -> None:
    seeds = SEEDS
    for number in range(100):
        before, seeds = len(seeds), without(seeds, leaf(f"cus_{number}", 0))
        assert len(seeds) - before < DEPTH
