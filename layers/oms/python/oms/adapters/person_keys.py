"""The keys of persons, in a table of their own of which nothing is ever backed up.

RING / TOP              seeds of the tree of keys, as far as nothing below them is destroyed; the
                        keys that are about to be; the key of the shards
RING / SHARD#<12 bits>  what is left of a branch in which keys were destroyed

Nobody writes a row when a person comes: everybody's key is made from the seeds, and a worker reads
them once in five minutes. A key is destroyed by writing seeds that no longer make it over those
that did. So that nothing is sealed under a key that goes, it is retired first; workers that do not
know it yet have let go of what they remember after `SETTLED`.
"""

from __future__ import annotations

import base64
import os
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from oms.adapters import aws
from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.contracts import codec
from oms.domain.errors import Contended
from oms.domain.key_tree import ROOT, key_at, leaf, without
from oms.settings import setting

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PURPOSE = {"purpose": "person keys"}
RING, TOP = "RING", "TOP"
SHARD_BITS = 12
SEED_BYTES, NONCE_BYTES = 32, 12
FRESH_SECONDS = 300
SETTLED = timedelta(minutes=15)
ATTEMPTS = 20


class KeyDestroyed(Exception):
    """What it has sealed is gone."""


class _Moved(Exception):
    """Somebody else has written the seeds since they were read."""


@dataclass(frozen=True, slots=True)
class Named:
    """A key of somebody, or of something; after it is destroyed there is a next generation."""

    name: str
    generation: int

    @property
    def place(self) -> str:
        return leaf(self.name, self.generation)


@dataclass(frozen=True, slots=True)
class Top:
    """`retired`: places of keys that are about to be destroyed. Version 0: nothing is kept yet."""

    seeds: dict[str, bytes]
    shard_key: bytes
    retired: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Shard:
    seeds: dict[str, bytes]
    version: int = 0


class PersonKeys:
    def __init__(
        self,
        client: DynamoDB,
        kms: Any,
        table: str,
        key_id: str,
        clock: Callable[[], float] | None = None,
        *,
        salvages: bool = False,
    ) -> None:
        """`salvages`: it opens what a key has sealed that is about to be destroyed."""
        self._client, self._kms, self._table, self._key_id = client, kms, table, key_id
        self._salvages = salvages
        self._clock = clock or time.monotonic
        self._top: tuple[float, Top] | None = None
        self._shards: dict[str, tuple[float, Shard]] = {}

    def sealing(self, name: str) -> tuple[int, bytes]:
        """The generation and the key that is sealed with now."""
        for generation in count():
            key = self._key(Named(name, generation))
            if key is not None:
                return generation, key
        raise AssertionError  # pragma: no cover

    def opening(self, name: str, generation: int) -> bytes:
        """Raises KeyDestroyed, also for a key that is about to be."""
        named = Named(name, generation)
        key = self._made(self._fresh_top(), named.place) if self._salvages else self._key(named)
        if key is None:
            raise KeyDestroyed(name)
        return key

    def current(self, names: Iterable[str]) -> tuple[Named, ...]:
        """The keys that these are sealed with, as it is now."""
        self._forget()
        return tuple(Named(each, self.sealing(each)[0]) for each in dict.fromkeys(names))

    def retire(self, keys: Iterable[Named]) -> None:
        """Nothing new is sealed by them, and nothing opened, as soon as every worker knows: after
        `SETTLED` they can be destroyed."""
        places = [each.place for each in keys]

        def retired() -> None:
            top = self._read_top()
            alive = (each for each in places if self._made(top, each) is not None)
            after = tuple(dict.fromkeys((*top.retired, *alive)))
            if after != top.retired:
                self._write(replace(top, retired=after))

        self._insist(retired)

    def destroy(self, named: Named) -> None:
        """For good; also twice."""
        place = named.place

        def destroyed() -> None:
            top, branch = self._read_top(), place[:SHARD_BITS]
            shard = self._read_shard(branch)
            if self._made(top, place) is None:
                return
            root = key_at(top.seeds, branch)
            before = {branch: root} if root is not None else shard.seeds
            retired = tuple(each for each in top.retired if each != place)
            after = replace(top, seeds=without(top.seeds, branch), retired=retired)
            self._write(after, branch, replace(shard, seeds=without(before, place)))

        self._insist(destroyed)

    def is_destroyed(self, named: Named) -> bool:
        """As it is now, whatever a worker remembers."""
        self._forget()
        return self._made(self._fresh_top(), named.place) is None

    def _insist(self, deed: Callable[[], None]) -> None:
        for attempt in range(ATTEMPTS):
            self._forget()
            try:
                deed()
                return
            except _Moved:
                time.sleep(db.full_jitter(min(attempt, 4)))
        raise Contended("the seeds are written by others all the time")

    def _key(self, named: Named) -> bytes | None:
        top, place = self._fresh_top(), named.place
        return None if place in top.retired else self._made(top, place)

    def _made(self, top: Top, place: str) -> bytes | None:
        key = key_at(top.seeds, place)
        return key or key_at(self._fresh_shard(place[:SHARD_BITS]).seeds, place)

    def _forget(self) -> None:
        self._top, self._shards = None, {}

    def _fresh_top(self) -> Top:
        if self._top is None or self._clock() >= self._top[0]:
            self._shards = {}
            self._top = (self._clock() + FRESH_SECONDS, self._glanced_top())
        return self._top[1]

    def _glanced_top(self) -> Top:
        row = db.get_row(self._client, self._table, _key(TOP), consistent=False)
        return self._opened_top(row) if row else self._read_top()

    def _fresh_shard(self, branch: str) -> Shard:
        if branch not in self._shards or self._clock() >= self._shards[branch][0]:
            known = (self._clock() + FRESH_SECONDS, self._read_shard(branch))
            self._shards[branch] = known
        return self._shards[branch][1]

    def _read_top(self) -> Top:
        """As it is now; the first who asks plants it."""
        row = db.get_row(self._client, self._table, _key(TOP))
        if row is None:
            try:
                first = Top({ROOT: os.urandom(SEED_BYTES)}, os.urandom(SEED_BYTES))
                self._write(first)
            except _Moved:
                pass
            row = db.get_row(self._client, self._table, _key(TOP))
            assert row, "seeds are never taken away"
        return self._opened_top(row)

    def _read_shard(self, branch: str) -> Shard:
        row = db.get_row(self._client, self._table, _key(_shard(branch)))
        if row is None:
            return Shard({})
        octets = _opened(self._fresh_top().shard_key, _shard(branch), row)
        return codec.decode(octets, Shard)

    def _write(self, top: Top, branch: str = "", shard: Shard | None = None) -> None:
        """Over the versions that were read."""
        sealed, plain = self._data_key()
        after = replace(top, version=top.version + 1)
        row = _row(TOP, plain, codec.encode(after), after.version) | {"kek": db.b(sealed)}
        writes = [self._put(row, top.version)]
        if shard is not None:
            grown = replace(shard, version=shard.version + 1)
            octets = codec.encode(grown)
            row = _row(_shard(branch), top.shard_key, octets, grown.version)
            writes.append(self._put(row, shard.version))
        db.transact(self._client, writes)
        self._forget()

    def _put(self, row: Item, seen: int) -> Write:
        put: dict[str, Any] = {"TableName": self._table, "Item": row}
        put["ConditionExpression"] = "version = :seen" if seen else "attribute_not_exists(PK)"
        if seen:
            put["ExpressionAttributeValues"] = {":seen": db.n(seen)}
        return Write({"Put": put}, lambda _: _Moved())

    def _data_key(self) -> tuple[bytes, bytes]:
        answer = self._kms.generate_data_key(
            KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=PURPOSE
        )
        return answer["CiphertextBlob"], answer["Plaintext"]

    def _opened_top(self, row: Item) -> Top:
        answer = self._kms.decrypt(
            KeyId=self._key_id, CiphertextBlob=row["kek"]["B"], EncryptionContext=PURPOSE
        )
        return codec.decode(_opened(answer["Plaintext"], TOP, row), Top)


class Box:
    """Bytes that are kept under a name, and opened until the name's key is destroyed: base64."""

    def __init__(self, keys: PersonKeys) -> None:
        self._keys = keys

    def close(self, name: str, octets: bytes) -> bytes:
        generation, key = self._keys.sealing(name)
        nonce = os.urandom(NONCE_BYTES)
        sealed = _aes(key).encrypt(nonce, zlib.compress(octets, 9), name.encode())
        return base64.b64encode(generation.to_bytes(2, "big") + nonce + sealed)

    def open(self, name: str, kept: bytes) -> bytes:
        """Raises KeyDestroyed."""
        octets = base64.b64decode(kept)
        key = self._keys.opening(name, int.from_bytes(octets[:2], "big"))
        nonce, sealed = octets[2 : 2 + NONCE_BYTES], octets[2 + NONCE_BYTES :]
        return zlib.decompress(_aes(key).decrypt(nonce, sealed, name.encode()))


@cache
def person_keys(*, salvages: bool = False) -> PersonKeys:
    kms = aws.client("kms", read_timeout=5, attempts=3)
    table, key_id = setting("KEYS_TABLE"), setting("VAULT_KEY_ID")
    return PersonKeys(db.client(), kms, table, key_id, salvages=salvages)


def _row(sort: str, key: bytes, octets: bytes, version: int) -> Item:
    nonce = os.urandom(NONCE_BYTES)
    sealed = _aes(key).encrypt(nonce, octets, sort.encode())
    return {
        **_key(sort),
        "version": db.n(version),
        "nonce": db.b(nonce),
        "sealed": db.b(sealed),
    }


def _opened(key: bytes, sort: str, row: Item) -> bytes:
    return _aes(key).decrypt(row["nonce"]["B"], row["sealed"]["B"], sort.encode())


def _key(sort: str) -> Item:
    return db.key(RING, sort)


def _shard(branch: str) -> str:
    return f"SHARD#{branch}"


def _aes(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers import aead

    return aead.AESGCM(key)
