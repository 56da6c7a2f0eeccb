"""Keys of persons, in a table of the embedded cloud."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import dynamodb as db
from oms.adapters.person_keys import FRESH_SECONDS, KeyDestroyed, PersonKeys, Top
from tests.tables import create_table

pytestmark = pytest.mark.cloud


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Vaulted:
    client: Any
    kms: Any
    table: str
    key_id: str

    def keys(self, clock: Clock | None = None) -> PersonKeys:
        """As another worker has them."""
        return PersonKeys(self.client, self.kms, self.table, self.key_id, clock)

    def erase(self, name: str) -> None:
        keys = self.keys()
        found = keys.current([name])
        keys.retire(found)
        for each in found:
            keys.destroy(each)

    def rows(self) -> list[Any]:
        return list(self.client.scan(TableName=self.table)["Items"])


@pytest.fixture
def kept(cloud: Any, dynamodb: Any) -> Vaulted:
    kms = cloud.client("kms")
    table = create_table(dynamodb, "keys", f"keys-{uuid4().hex[:12]}")
    return Vaulted(dynamodb, kms, table, kms.create_key()["KeyMetadata"]["KeyId"])


def test_every_worker_makes_the_same_key(kept: Vaulted) -> None:
    generation, key = kept.keys().sealing("cus_ada")

    assert (generation, key) == kept.keys().sealing("cus_ada")
    assert kept.keys().opening("cus_ada", generation) == key
    assert kept.keys().sealing("cus_bob")[1] != key
    assert len(kept.rows()) == 1  # nothing is written for a person


def test_a_destroyed_key_is_made_by_nobody_again_and_the_others_stay(kept: Vaulted) -> None:
    others = {name: kept.keys().sealing(name) for name in ("cus_bob", "cus_eve")}
    lost = kept.keys().sealing("cus_ada")[1]

    kept.erase("cus_ada")

    with pytest.raises(KeyDestroyed):
        kept.keys().opening("cus_ada", 0)
    generation, key = kept.keys().sealing("cus_ada")
    assert generation == 1
    assert key != lost
    for name, expected in others.items():
        assert kept.keys().sealing(name) == expected


def test_who_comes_back_and_is_erased_again_is_gone_again(kept: Vaulted) -> None:
    kept.erase("cus_ada")
    kept.erase("cus_ada")

    assert kept.keys().sealing("cus_ada")[0] == 2
    for generation in (0, 1):
        with pytest.raises(KeyDestroyed):
            kept.keys().opening("cus_ada", generation)


def test_a_retired_key_seals_and_opens_nothing_and_is_not_destroyed_yet(kept: Vaulted) -> None:
    keys = kept.keys()
    found = keys.current(["cus_ada"])

    keys.retire(found)
    keys.retire(found)

    assert keys.sealing("cus_ada")[0] == 1
    with pytest.raises(KeyDestroyed):
        keys.opening("cus_ada", 0)
    assert not keys.is_destroyed(found[0])
    keys.destroy(found[0])
    keys.destroy(found[0])
    assert keys.is_destroyed(found[0])


def test_a_worker_hears_of_it_when_what_it_remembers_is_over(kept: Vaulted) -> None:
    clock = Clock()
    worker = kept.keys(clock)
    worker.sealing("cus_ada")
    kept.erase("cus_ada")

    assert worker.sealing("cus_ada")[0] == 0
    clock.now = FRESH_SECONDS
    assert worker.sealing("cus_ada")[0] == 1


def test_erasures_at_the_same_moment_lose_nothing(
    kept: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads what the other has not written yet."""
    bob = kept.keys().sealing("cus_bob")
    slow, fast = kept.keys(), kept.keys()
    ada, eve = slow.current(["cus_ada", "cus_eve"])
    stale = [slow._read_top()]
    fast.destroy(eve)

    def read_top() -> Top:
        return stale.pop() if stale else PersonKeys._read_top(slow)

    monkeypatch.setattr(slow, "_read_top", read_top)

    slow.destroy(ada)

    assert kept.keys().is_destroyed(ada)
    assert kept.keys().is_destroyed(eve)
    assert kept.keys().sealing("cus_bob") == bob


def test_the_seeds_are_nowhere_in_the_clear(kept: Vaulted) -> None:
    kept.erase("cus_ada")
    top = kept.keys()._read_top()

    octets = b"".join(value["B"] for row in kept.rows() for value in row.values() if "B" in value)
    assert not [seed for seed in top.seeds.values() if seed in octets]
    assert top.shard_key not in octets
    assert {db.text(row, "PK") for row in kept.rows()} == {"RING"}
