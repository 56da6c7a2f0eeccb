"""The vault: who an order goes to, encrypted so that destroying a row's key destroys the data.

    PERSON#<customer_id> / CONTACT#<order_id>
        kek      a KMS data key, as KMS sealed it; shared by up to a thousand rows
        ring     which of the person's keys, by its generation
        key      the row's own random key, sealed by these two together
        nonce    of the contact
        contact  JSON, deflated, AES-256-GCM

An edit that changes where an order goes has a contact of its own, CONTACT#<order_id>#<edit_id>:
until the order takes the edit up, its `expires_at` removes it.

Customer and order are bound into both seals: a row that is moved to another person or order does
not open. Nobody reads a contact without KMS, and nobody brings one back whose person's key is
destroyed (`oms.adapters.person_keys`): not from the row, nor from a backup of it. Whatever is
bound, what stands before its first \x1f is who, or what, the key is of.
"""

from __future__ import annotations

import hmac
import os
import time
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from oms.adapters import aws
from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.person_keys import KeyDestroyed, PersonKeys, person_keys
from oms.contracts import codec
from oms.domain.contact import Contact
from oms.domain.errors import Refused
from oms.settings import setting

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PURPOSE = {"purpose": "contact"}
FOREIGN = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})
FRESH_SECONDS = 300
MAX_USES = 1_000
MAX_OPENED = 200
NONCE_BYTES = 12
MAX_CONTACT_BYTES = 100_000


class ContactGone(Refused):
    """It has expired, or was destroyed."""


class Unreadable(Exception):
    """The row was tampered with, moved, or is not of this vault."""


class Destroyed(Unreadable):
    """Its person was erased: the row can only have come back from a backup."""


@dataclass(slots=True)
class SealingKey:
    """One KMS data key, for five minutes or a thousand contacts."""

    sealed: bytes
    plain: bytes
    made_at: float
    uses: int = 0

    @property
    def is_fresh(self) -> bool:
        return self.uses < MAX_USES and time.monotonic() - self.made_at < FRESH_SECONDS


class Vault:
    def __init__(
        self,
        client: DynamoDB,
        kms: Any,
        table: str,
        key_id: str,
        purpose: Mapping[str, str] = PURPOSE,
        keys: PersonKeys | None = None,
    ) -> None:
        self._client = client
        self._kms = kms
        self._table = table
        self._key_id = key_id
        self._purpose = dict(purpose)
        self._keys = keys
        self._sealing: SealingKey | None = None
        self._opened: OrderedDict[bytes, bytes] = OrderedDict()

    def contact_write(
        self, customer_id: str, order_id: str, contact: Contact, until: datetime | None = None
    ) -> Write:
        """Goes into the transaction that places the order. `until`: unless it is kept by then."""
        item = {**_key(customer_id, order_id), **self._sealed(customer_id, order_id, contact)}
        if until is not None:
            item["expires_at"] = db.n(int(until.timestamp()))
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def keeping(self, customer_id: str, order_id: str) -> Write:
        """Goes into the transaction that needs it from now on."""
        update = {
            "TableName": self._table,
            "Key": _key(customer_id, order_id),
            "UpdateExpression": "REMOVE expires_at",
            "ConditionExpression": "attribute_exists(#key)",
            "ExpressionAttributeNames": {"#key": "key"},
        }
        return Write({"Update": update}, lambda _: ContactGone("its address is not kept any more"))

    def contact(self, customer_id: str, order_id: str) -> Contact | None:
        """None when there is none, or when it was destroyed.

        A row is never changed: the read at half the price finds it, or it is too new for that.
        """
        key = _key(customer_id, order_id)
        item = self._item(key, consistent=False) or self._item(key, consistent=True)
        try:
            return self.opened(customer_id, order_id, item) if "key" in item else None
        except Destroyed:
            return None

    def _item(self, key: Item, *, consistent: bool) -> Item:
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=consistent)
        item: Item = answer.get("Item", {})
        return item

    def _sealed(self, customer_id: str, order_id: str, contact: Contact) -> Item:
        return self.seal("contact", _bound(customer_id, order_id), _deflated(contact))

    def seal(self, name: str, bound: bytes, octets: bytes) -> Item:
        """The attributes of a row that keeps them; under `name` they themselves. They open only
        where the same is `bound` into them, and as long as whose they are has its key."""
        sealing = self._sealing_key()
        own, nonce = os.urandom(32), os.urandom(NONCE_BYTES)
        ring, wrapping = self._wrapping(bound, sealing.plain)
        return {
            "kek": db.b(sealing.sealed),
            **ring,
            "key": db.b(_wrapped(wrapping, own, bound)),
            "nonce": db.b(nonce),
            name: db.b(_aes(own).encrypt(nonce, octets, bound)),
        }

    def _wrapping(self, bound: bytes, shared: bytes) -> tuple[Item, bytes]:
        if self._keys is None:
            return {}, shared
        generation, key = self._keys.sealing(owner_of(bound))
        return {"ring": db.n(generation)}, _together(key, shared)

    def _unwrapping(self, bound: bytes, item: Item) -> bytes:
        """A row from before there were keys of persons is sealed by the shared one alone."""
        if "ring" not in item:
            return self._opened_key(item["kek"]["B"])
        if self._keys is None:
            raise Unreadable("it is sealed by a person's key")
        try:
            key = self._keys.opening(owner_of(bound), db.number(item, "ring"))
        except KeyDestroyed:
            raise Destroyed(f"the key of {owner_of(bound)} is destroyed") from None
        return _together(key, self._opened_key(item["kek"]["B"]))

    def opened(self, customer_id: str, order_id: str, item: Item) -> Contact:
        octets = self.unseal("contact", _bound(customer_id, order_id), item)
        return codec.decode(_inflated(octets), Contact)

    def unseal(self, name: str, bound: bytes, item: Item) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            own = _unwrapped(self._unwrapping(bound, item), item["key"]["B"], bound)
            return _aes(own).decrypt(item["nonce"]["B"], item[name]["B"], bound)
        except (InvalidTag, ValueError):
            raise Unreadable(f"the {name} of {bound.decode()!r} does not open") from None

    def _sealing_key(self) -> SealingKey:
        if self._sealing is None or not self._sealing.is_fresh:
            answer = self._kms.generate_data_key(
                KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=self._purpose
            )
            sealed, plain = answer["CiphertextBlob"], answer["Plaintext"]
            self._sealing = SealingKey(sealed, plain, time.monotonic())
        self._sealing.uses += 1
        return self._sealing

    def _opened_key(self, sealed: bytes) -> bytes:
        """The key that KMS sealed; those used last are remembered."""
        if sealed not in self._opened:
            self._opened[sealed] = self._ask_kms(sealed)
        self._opened.move_to_end(sealed)
        while len(self._opened) > MAX_OPENED:
            self._opened.popitem(last=False)
        return self._opened[sealed]

    def _ask_kms(self, sealed: bytes) -> bytes:
        try:
            answer = self._kms.decrypt(
                KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=self._purpose
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in FOREIGN:
                raise
            raise Unreadable("KMS did not seal this key for contacts") from None
        plain: bytes = answer["Plaintext"]
        return plain


@cache
def vault(*, salvages: bool = False) -> Vault:
    """`salvages`: it opens what is sealed by keys that are about to be destroyed."""
    kms = aws.client("kms", read_timeout=5, attempts=3)
    table, key_id = setting("CUSTOMERS_TABLE"), setting("VAULT_KEY_ID")
    keys = person_keys(salvages=True) if salvages else person_keys()
    return Vault(db.client(), kms, table, key_id, keys=keys)


def owner_of(bound: bytes) -> str:
    return bound.partition(b"\x1f")[0].decode()


def _together(key: bytes, shared: bytes) -> bytes:
    return hmac.digest(key, shared, "sha256")


def _key(customer_id: str, order_id: str) -> Item:
    return db.key(f"PERSON#{customer_id}", f"CONTACT#{order_id}")


def _bound(customer_id: str, order_id: str) -> bytes:
    return f"{customer_id}\x1f{order_id}".encode()


def _wrapped(by: bytes, own: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _aes(by).encrypt(nonce, own, bound)


def _unwrapped(by: bytes, wrapped: bytes, bound: bytes) -> bytes:
    return _aes(by).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound)


def _aes(key: bytes) -> AESGCM:
    """Imported late: most cold starts never see a contact."""
    from cryptography.hazmat.primitives.ciphers import aead

    return aead.AESGCM(key)


def _deflated(contact: Contact) -> bytes:
    return zlib.compress(codec.encode(contact), 9, wbits=-zlib.MAX_WBITS)


def _inflated(octets: bytes) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(octets, MAX_CONTACT_BYTES)
