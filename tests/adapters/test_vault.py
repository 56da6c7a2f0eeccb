"""Contacts, sealed by the embedded cloud's KMS."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import dynamodb as db
from oms.adapters import vault as vaults
from oms.adapters.dynamodb import Item, transact
from oms.adapters.person_keys import PersonKeys
from oms.adapters.vault import Destroyed, Unreadable, Vault
from oms.domain.contact import Contact, PostalAddress
from tests.tables import create_table

pytestmark = pytest.mark.cloud

ADDRESS = PostalAddress(
    country="US",
    name="Ada Byron",
    line1="1 Main St",
    line2="Flat 7",
    city="Austin",
    region="TX",
    postal_code="78701",
    phone="+1 512 555 0100",
)
ADA = Contact("ada@example.com", "Ada Byron", "+1 512 555 0100", ADDRESS)
PERSONAL = [b"ada@example.com", b"Ada", b"Byron", b"Main", b"Austin", b"78701", b"555"]


@dataclass
class CountingKms:
    """KMS, and how often it was asked."""

    kms: Any
    made: int = 0
    opened: int = 0
    contexts: list[dict[str, str]] = field(default_factory=list)

    def generate_data_key(self, **request: Any) -> Any:
        self.made += 1
        self.contexts.append(request["EncryptionContext"])
        return self.kms.generate_data_key(**request)

    def decrypt(self, **request: Any) -> Any:
        self.opened += 1
        self.contexts.append(request["EncryptionContext"])
        return self.kms.decrypt(**request)


@dataclass
class Place:
    """A table and a key of a test's own."""

    client: Any
    kms: CountingKms
    table: str
    key_id: str

    def vault(self) -> Vault:
        return Vault(self.client, self.kms, self.table, self.key_id)

    def keep(self, customer_id: str, order_id: str, contact: Contact = ADA) -> Item:
        """Store it, and answer the row."""
        write = self.vault().contact_write(customer_id, order_id, contact)
        transact(self.client, [write])
        return self.row(customer_id, order_id)

    def row(self, customer_id: str, order_id: str) -> Item:
        key = db.key(f"PERSON#{customer_id}", f"CONTACT#{order_id}")
        item: Item = self.client.get_item(TableName=self.table, Key=key)["Item"]
        return item

    def put(self, item: Item) -> None:
        self.client.put_item(TableName=self.table, Item=item)


@pytest.fixture
def place(cloud: Any, dynamodb: Any) -> Place:
    table = create_table(dynamodb, "customers", f"customers-{uuid4().hex[:12]}")
    kms = cloud.client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    return Place(dynamodb, CountingKms(kms), table, key_id)


@pytest.mark.parametrize("contact", [ADA, Contact(), Contact(email="é@例え.jp", name="O'Brien 名")])
def test_what_is_put_in_comes_out(place: Place, contact: Contact) -> None:
    place.keep("cus_1", "ord_1", contact)

    assert place.vault().contact("cus_1", "ord_1") == contact


def test_there_is_no_contact_where_none_was_put(place: Place) -> None:
    assert place.vault().contact("cus_1", "ord_9") is None


def test_nothing_of_a_person_can_be_read_in_the_row(place: Place) -> None:
    row = place.keep("cus_1", "ord_1")

    octets = b"".join(value["B"] for name, value in row.items() if name not in ("PK", "SK"))
    assert row.keys() == {"PK", "SK", "kek", "key", "nonce", "contact"}
    assert not [word for word in PERSONAL if word in octets]


def test_a_contact_costs_one_write_unit(place: Place) -> None:
    row = place.keep("cus_" + 20 * "a", "ord_" + 26 * "b")

    size = sum(len(name) + len(next(iter(value.values()))) for name, value in row.items())
    aws_blob = 200 - len(row["kek"]["B"])  # a sealed key of AWS is a little longer
    assert size + max(0, aws_blob) <= 1024


@pytest.mark.parametrize("name", ["kek", "key", "nonce", "contact"])
def test_a_flipped_bit_is_refused(place: Place, name: str) -> None:
    row = place.keep("cus_1", "ord_1")
    octets = bytearray(row[name]["B"])
    octets[len(octets) // 2] ^= 1
    place.put({**row, name: db.b(bytes(octets))})

    with pytest.raises(Unreadable):
        place.vault().contact("cus_1", "ord_1")


@pytest.mark.parametrize(("customer_id", "order_id"), [("cus_2", "ord_1"), ("cus_1", "ord_2")])
def test_a_row_that_was_moved_does_not_open(place: Place, customer_id: str, order_id: str) -> None:
    row = place.keep("cus_1", "ord_1")
    place.put({**row, **db.key(f"PERSON#{customer_id}", f"CONTACT#{order_id}")})

    with pytest.raises(Unreadable):
        place.vault().contact(customer_id, order_id)


def test_parts_of_another_row_do_not_open(place: Place) -> None:
    mine, other = place.keep("cus_1", "ord_1"), place.keep("cus_1", "ord_2")
    place.put({**mine, "key": other["key"]})

    with pytest.raises(Unreadable):
        place.vault().contact("cus_1", "ord_1")


def test_a_key_that_kms_made_for_something_else_is_refused(place: Place) -> None:
    foreign = place.kms.kms.generate_data_key(KeyId=place.key_id, KeySpec="AES_256")
    row = place.keep("cus_1", "ord_1")
    place.put({**row, "kek": db.b(foreign["CiphertextBlob"])})

    with pytest.raises(Unreadable):
        place.vault().contact("cus_1", "ord_1")


def test_without_its_own_key_a_contact_is_gone_and_its_neighbour_is_not(place: Place) -> None:
    vault = place.vault()
    for order_id in ("ord_1", "ord_2"):
        transact(place.client, [vault.contact_write("cus_1", order_id, ADA)])
    row = place.row("cus_1", "ord_1")
    place.put({name: value for name, value in row.items() if name != "key"})

    assert row["kek"] == place.row("cus_1", "ord_2")["kek"]
    assert vault.contact("cus_1", "ord_1") is None
    assert vault.contact("cus_1", "ord_2") == ADA


def test_kms_is_asked_once_for_many_contacts(place: Place) -> None:
    vault = place.vault()
    for number in range(5):
        transact(place.client, [vault.contact_write("cus_1", f"ord_{number}", ADA)])
    reader = place.vault()
    for number in range(5):
        assert reader.contact("cus_1", f"ord_{number}") == ADA

    assert (place.kms.made, place.kms.opened) == (1, 1)
    assert place.kms.contexts == [{"purpose": "contact"}] * 2


@pytest.mark.parametrize("aged", [lambda key: 1_000, lambda key: key.uses])
def test_a_sealing_key_is_changed_after_a_while(
    place: Place, aged: Callable[[Any], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = place.vault()
    vault.contact_write("cus_1", "ord_1", ADA)
    assert vault._sealing is not None
    vault._sealing.uses = aged(vault._sealing)
    if vault._sealing.uses < vaults.MAX_USES:
        monkeypatch.setattr(vaults, "FRESH_SECONDS", 0)

    vault.contact_write("cus_1", "ord_2", ADA)

    assert place.kms.made == 2


def test_the_memory_of_opened_keys_is_bounded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vaults, "MAX_OPENED", 2)
    for number in range(3):
        place.keep("cus_1", f"ord_{number}")  # each from a vault, and so under a key, of its own
    reader = place.vault()
    for number in (0, 1, 2, 2, 0):
        reader.contact("cus_1", f"ord_{number}")

    assert len(reader._opened) == 2
    assert place.kms.opened == 4


def test_two_rows_of_one_contact_have_nothing_in_common_but_the_sealing_key(place: Place) -> None:
    vault = place.vault()
    first, second = (vault.contact_write("cus_1", "ord_1", ADA).item["Put"]["Item"] for _ in "ab")

    assert [name for name in ("key", "nonce", "contact") if first[name] == second[name]] == []


def test_importing_the_vault_does_not_import_cryptography() -> None:
    code = "import sys, oms.adapters.vault; sys.exit('cryptography' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False)

    assert done.returncode == 0


def test_a_contact_opens_only_with_the_key_of_its_person(place: Place, dynamodb: Any) -> None:
    """Not with the shared key alone, which KMS opens for every row."""
    table = create_table(dynamodb, "keys", f"keys-{uuid4().hex[:12]}")
    keys = PersonKeys(dynamodb, place.kms.kms, table, place.key_id)
    whole = Vault(place.client, place.kms, place.table, place.key_id, keys=keys)
    transact(place.client, [whole.contact_write("cus_ada", "ord_1", ADA)])
    transact(place.client, [whole.contact_write("cus_bob", "ord_2", ADA)])
    row = place.row("cus_ada", "ord_1")

    assert whole.contact("cus_ada", "ord_1") == ADA
    for without in ({**row}, {name: value for name, value in row.items() if name != "ring"}):
        with pytest.raises(Unreadable):
            place.vault().unseal("contact", b"cus_ada\x1ford_1", without)
    (ada,) = keys.current(["cus_ada"])
    keys.destroy(ada)
    assert whole.contact("cus_ada", "ord_1") is None
    with pytest.raises(Destroyed):
        whole.unseal("contact", b"cus_ada\x1ford_1", row)
    assert whole.contact("cus_bob", "ord_2") == ADA


def test_a_contact_from_before_there_were_keys_of_persons_opens_still(
    place: Place, dynamodb: Any
) -> None:
    place.keep("cus_ada", "ord_1")
    table = create_table(dynamodb, "keys", f"keys-{uuid4().hex[:12]}")
    keys = PersonKeys(dynamodb, place.kms.kms, table, place.key_id)

    whole = Vault(place.client, place.kms, place.table, place.key_id, keys=keys)

    assert whole.contact("cus_ada", "ord_1") == ADA


def test_a_thousand_persons_cost_one_question_to_kms_for_their_keys(
    place: Place, dynamodb: Any
) -> None:
    table = create_table(dynamodb, "keys", f"keys-{uuid4().hex[:12]}")
    PersonKeys(dynamodb, place.kms, table, place.key_id).sealing("cus_first")
    asked = place.kms.opened, place.kms.made
    keys = PersonKeys(dynamodb, place.kms, table, place.key_id)

    for number in range(1_000):
        keys.sealing(f"cus_{number}")

    assert (place.kms.opened, place.kms.made) == (asked[0] + 1, asked[1])
