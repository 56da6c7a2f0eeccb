"""Profiles in a real table: sealed, found without a scan, never written over unseen."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import customers_table as tables
from oms.adapters import dynamodb as db
from oms.adapters.customers_table import (
    EMAIL,
    MATCH,
    MAX_KEYS,
    NAME,
    PHONE,
    PROVED,
    BlindIndex,
    Change,
    CustomersTable,
    Kept,
)
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.secrets import Secrets
from oms.adapters.vault import Vault
from oms.contracts.cursors import BadCursor, encode_cursor
from oms.domain.contact import Contact, PostalAddress
from oms.domain.customers import Phone, Profile, Sighting, joined, seen_on
from oms.domain.errors import Conflict
from tests.tables import create_table

pytestmark = pytest.mark.cloud
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ADDRESS = PostalAddress("US", "Ada Byron", line1="1 Main St", city="Austin", postal_code="78701")
ADA = seen_on("ord_1", Contact("ada@example.com", "Ada Byron", "512 555 0100", ADDRESS), "web", AT)
PERSONAL = ["ada", "Ada", "byron", "Byron", "5550100", "555 0100", "Main", "Austin", "78701"]


class Peppered:
    def get_secret_value(self, **_: Any) -> Any:
        return {"SecretString": json.dumps({"pepper": "p"})}


@pytest.fixture
def table(cloud: Any, dynamodb: DynamoDB) -> CustomersTable:
    name = create_table(dynamodb, "customers", f"customers-{uuid4()}")
    kms = cloud.client("kms")
    vault = Vault(dynamodb, kms, name, kms.create_key()["KeyMetadata"]["KeyId"])
    return CustomersTable(dynamodb, name, vault, BlindIndex(Secrets(Peppered(), "s").digest))


def rows(table: CustomersTable) -> list[Any]:
    return list(table._client.scan(TableName=table._table)["Items"])


def keep(table: CustomersTable, customer_id: str = "cus_ada", profile: Profile = ADA) -> Kept:
    return table.change(customer_id, lambda known: joined([known, profile]))


def test_a_profile_is_kept_as_it_was_and_found_by_each_of_its_parts(table: CustomersTable) -> None:
    keep(table)

    assert table.get("cus_ada").profile == ADA
    assert table.many(["cus_ada", "cus_bob"]).keys() == {"cus_ada"}
    for kind, said in (
        (EMAIL, "ada@example.com"),
        (PHONE, "+15125550100"),
        (PHONE, "5125550100"),
        (NAME, "ada"),
        (NAME, "byro"),
        (MATCH, "+15125550100 byron"),
    ):
        assert table.found(kind, said, 10).customer_ids == ("cus_ada",)
    assert table.found(PROVED, "+15125550100 byron", 10).customer_ids == ()


def test_nothing_personal_is_in_the_clear(table: CustomersTable) -> None:
    change = Change("profile", AT, "user:1", {"name": "Ada Byron"})
    table.change("cus_ay", lambda _: ADA, change)

    written = repr(rows(table))
    assert not [each for each in PERSONAL if each in written]


def test_a_profile_that_is_moved_to_another_customer_does_not_open(table: CustomersTable) -> None:
    keep(table)
    row = next(x for x in rows(table) if x["SK"]["S"] == "PROFILE")
    table._client.put_item(TableName=table._table, Item=row | db.key("PERSON#cus_bob", "PROFILE"))

    with pytest.raises(Exception, match="does not open"):
        table.get("cus_bob")


def test_what_is_not_known_any_more_finds_nobody(table: CustomersTable) -> None:
    keep(table)
    table.change("cus_ada", lambda _: Profile(names=(Sighting("Ada King", AT, "user:1"),)))

    assert table.found(NAME, "byro", 10).customer_ids == ()
    assert table.found(EMAIL, "ada@example.com", 10).customer_ids == ()
    assert table.found(NAME, "king", 10).customer_ids == ("cus_ada",)


def test_nothing_new_is_not_written(table: CustomersTable) -> None:
    assert [keep(table).version for _ in range(3)] == [1, 1, 1]


def test_two_writers_at_once_lose_nothing(table: CustomersTable) -> None:
    names = [f"Name {number}" for number in range(5)]
    seen = [seen_on("ord_1", Contact(name=name), "web", AT) for name in names]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda profile: keep(table, profile=profile), seen))

    assert {x.value for x in table.get("cus_ada").profile.names} == set(names)


def test_who_has_not_seen_the_newest_version_is_refused(table: CustomersTable) -> None:
    keep(table)

    with pytest.raises(Conflict):
        table.change("cus_ada", lambda _: Profile(), expected=0)
    assert table.get("cus_ada").profile == ADA


def test_a_crowd_of_one_name_is_found_page_by_page(table: CustomersTable) -> None:
    for number in range(7):
        keep(table, f"cus_{number}", seen_on("ord_1", Contact(name="Ann Smith"), "web", AT))
    found, cursor = list[str](), None
    while True:
        page = table.found(NAME, "smit", 3, cursor)
        assert len(page.customer_ids) <= 3
        found += page.customer_ids
        if (cursor := page.cursor) is None:
            break

    assert sorted(found) == [f"cus_{number}" for number in range(7)]


@pytest.mark.parametrize(
    "cursor", ["x", encode_cursor({"after": "ORDER#1"}), encode_cursor({"a": ""})]
)
def test_a_cursor_of_another_listing_is_none(table: CustomersTable, cursor: str) -> None:
    with pytest.raises(BadCursor):
        table.found(NAME, "smi", 3, cursor)
    with pytest.raises(BadCursor):
        table.changes("cus_ada", 3, cursor)


def test_the_richest_profile_is_written_at_once_and_taken_away_again(
    table: CustomersTable,
) -> None:
    def rich(word: str) -> Profile:
        names = [f"{word}{a}aaaaaaa {word}{a}bbbbbbb {word}{a}ccccccc" for a in "mnopq"]
        numbers = [f"+1512555{n}{len(word)}00" for n in range(5)]
        return Profile(
            names=tuple(Sighting(each, AT, "u") for each in names),
            emails=tuple(Sighting(f"{word}{n}@example.com", AT, "u") for n in range(5)),
            phones=tuple(Phone(each, AT, "u", verified=True) for each in numbers),
        )

    table.change("cus_ada", lambda _: rich("x"))
    kept = table.change("cus_ada", lambda _: rich("yy"), Change("profile", AT, "u", {}))

    assert len(kept.found_by) == MAX_KEYS
    table.forget("cus_ada")
    table.forget("cus_ada")
    assert [row["SK"]["S"][:7] for row in rows(table)] == ["CHANGE#"]


def test_the_history_is_told_newest_first_page_by_page(table: CustomersTable) -> None:
    for number in range(5):
        change = Change("tags", AT + timedelta(minutes=number), "user:1", {"add": [f"t{number}"]})
        table.change("cus_ada", lambda known: joined([known, ADA]), None)
        db.transact(table._client, [table.change_write("cus_ada", change)])
    first = table.changes("cus_ada", 3)
    rest = table.changes("cus_ada", 3, first.cursor)

    told = [x.details["add"][0] for x in (*first.changes, *rest.changes)]
    assert told == ["t4", "t3", "t2", "t1", "t0"]
    assert rest.cursor is None


def test_figures_of_all_identities_are_added_up(table: CustomersTable) -> None:
    for customer_id, day in (("cus_a", 3), ("cus_b", 5)):
        at = AT.replace(day=day).isoformat()
        row = {
            **db.key(f"PERSON#{customer_id}", tables.LIFETIME),
            "n": db.n(77),
            "orders": db.n(2),
            "net#USD": db.n(1500),
            tables.FIRST_ORDER: db.s(at),
            tables.LAST_ORDER: db.s(at),
        }
        table._client.put_item(TableName=table._table, Item=row)

    found = table.lifetime(["cus_a", "cus_b", "cus_c"])

    assert (found.figures, found.money) == ({"orders": 4}, {"USD": {"net": 3000}})
    assert (found.first_order_at, found.last_order_at) == (AT.replace(day=3), AT.replace(day=5))


def test_a_cursor_that_is_too_long_for_a_key_is_none(table: CustomersTable) -> None:
    with pytest.raises(BadCursor):
        table.found(NAME, "smi", 3, encode_cursor({"after": "PERSON#" + "x" * 1_100}))
    with pytest.raises(BadCursor):
        table.changes("cus_ada", 3, encode_cursor({"after": "CHANGE#" + "x" * 1_100}))
