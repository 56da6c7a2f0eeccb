"""All that is kept under a person's own partition key, in the customers table.

PERSON#<customer_id> / CONTACT#…, PROFILE, CHANGE#…, IDENTITY, LIFETIME, INQUIRY#…   what goes
PERSON#<customer_id> / READ#…, EXPORT#…                     who read and exported it: what stays
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.order_rows import instant
from oms.adapters.vault import Destroyed, Vault, vault
from oms.contracts import codec
from oms.domain.contact import Contact
from oms.settings import setting

CONTACT, READ, EXPORT = "CONTACT#", "READ#", "EXPORT#"
STAY = (READ, EXPORT)


@dataclass(frozen=True, slots=True)
class Export:
    """Two files, until they are deleted."""

    export_id: str
    actor: str
    at: datetime
    until: datetime
    files: tuple[str, ...]


class PersonRows:
    def __init__(self, client: DynamoDB, table: str, opener: Vault) -> None:
        self._client, self._table, self._vault = client, table, opener

    def contacts(self, customer_id: str) -> dict[str, Contact]:
        """By the order, or the order and its edit, that they are of."""
        rows = self.rows(customer_id, CONTACT)
        found = ((_name(row), self._contact(customer_id, row)) for row in rows)
        return {name: contact for name, contact in found if contact}

    def rows(self, customer_id: str, prefix: str = "") -> Iterator[Item]:
        names = {":pk": db.s(_pk(customer_id))} | ({":prefix": db.s(prefix)} if prefix else {})
        return db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk" + (" AND begins_with(SK, :prefix)" if prefix else ""),
            ExpressionAttributeValues=names,
            ConsistentRead=True,
        )

    def destroy(
        self, customer_id: str, which: Callable[[Item], bool] = lambda _: True
    ) -> Counter[str]:
        """Of all rows that do not stay; how many of each kind."""
        found: Counter[str] = Counter()
        for row in self.rows(customer_id):
            if not db.text(row, "SK").startswith(STAY) and which(row):
                where = {"PK": row["PK"], "SK": row["SK"]}
                self._client.delete_item(TableName=self._table, Key=where)
                found[kind_of(row)] += 1
        return found

    def seal_again(self, customer_id: str, row: Item, contact: Contact) -> None:
        """With the person's key of now, unless it has changed or gone."""
        write = self._vault.contact_write(customer_id, _name(row), contact)
        item = write.item["Put"]["Item"] | (
            {"expires_at": row["expires_at"]} if "expires_at" in row else {}
        )
        self._unless_changed(
            self._client.put_item,
            Item=item,
            ConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": "key"},
            ExpressionAttributeValues={":key": row["key"]},
        )

    def forget_later(self, customer_id: str, order_id: str, until: datetime) -> int:
        """The order is over: its contacts go then, and not before. How many."""
        rows = list(self.rows(customer_id, f"{CONTACT}{order_id}"))
        return sum(self._expire(row, until) for row in rows)

    def note_export(self, customer_id: str, export: Export) -> None:
        row = {
            **db.key(_pk(customer_id), f"{EXPORT}{instant(export.at)}#{export.export_id}"),
            "body": db.pack(codec.encode(export)),
        }
        self._client.put_item(TableName=self._table, Item=row)

    def exports(self, customer_id: str) -> tuple[Export, ...]:
        rows = self.rows(customer_id, EXPORT)
        return tuple(codec.decode(db.unpack(row["body"]), Export) for row in rows)

    def _contact(self, customer_id: str, row: Item) -> Contact | None:
        if "key" not in row:
            return None
        try:
            return self._vault.opened(customer_id, _name(row), row)
        except Destroyed:
            return None

    def _expire(self, row: Item, until: datetime) -> bool:
        """What expires for another reason, does so."""
        return self._unless_changed(
            self._client.update_item,
            Key={"PK": row["PK"], "SK": row["SK"]},
            UpdateExpression="SET expires_at = :until, ended = :yes",
            ConditionExpression="attribute_exists(PK) AND (attribute_not_exists(expires_at) "
            "OR (attribute_exists(ended) AND expires_at < :until))",
            ExpressionAttributeValues={
                ":until": db.n(int(until.timestamp())),
                ":yes": db.flag(True),
            },
        )

    def _unless_changed(self, write: Callable[..., object], **how: object) -> bool:
        try:
            write(TableName=self._table, **how)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


@cache
def person_rows(*, salvages: bool = False) -> PersonRows:
    opener = vault(salvages=True) if salvages else vault()
    return PersonRows(db.client(), setting("CUSTOMERS_TABLE"), opener)


def kind_of(row: Item) -> str:
    return db.text(row, "SK").partition("#")[0].lower()


def _name(row: Item) -> str:
    return db.text(row, "SK").removeprefix(CONTACT)


def _pk(customer_id: str) -> str:
    return f"PERSON#{customer_id}"
