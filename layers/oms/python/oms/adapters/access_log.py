"""Who read what of a person, in the customers table: one row for each read, beside the person.

PERSON#<customer_id> / READ#<at>#<random>   `actor` read `what`, and `why`; `expires_at` removes it
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.order_rows import instant, moment
from oms.adapters.policies_table import policies_table
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor, sort_key
from oms.domain.contact import Contact
from oms.domain.privacy import PrivacyPolicy
from oms.settings import setting

READ = "READ#"


class Contacts(Protocol):
    def contact(self, customer_id: str, order_id: str) -> Contact | None: ...


@dataclass(frozen=True, slots=True)
class Read:
    """`what`: `profile`, `contact of ord_…`; `why`: the request's purpose, in a word or two."""

    actor: str
    what: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Newest first."""

    reads: tuple[Read, ...]
    cursor: str | None


class AccessLog:
    def __init__(self, client: DynamoDB, table: str, policy: Callable[[], PrivacyPolicy]) -> None:
        self._client, self._table, self._policy = client, table, policy

    def read(self, actor: str, customer_id: str, what: str, why: str, at: datetime) -> None:
        """Before what was read is answered: nobody sees what is not in the log."""
        until = self._policy().access_until(at)
        row = {
            **db.key(_pk(customer_id), f"{READ}{instant(at)}#{os.urandom(5).hex()}"),
            "actor": db.s(actor),
            "what": db.s(what),
            "why": db.s(why),
            "expires_at": db.n(int(until.timestamp())),
        }
        self._client.put_item(TableName=self._table, Item=row)

    def page(self, customer_id: str, limit: int = 50, cursor: str | None = None) -> ReadPage:
        start = {"ExclusiveStartKey": _place(customer_id, cursor)} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :read)",
            ExpressionAttributeValues={":pk": db.s(_pk(customer_id)), ":read": db.s(READ)},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        going_on = encode_cursor({"read": db.text(last, "SK")}) if last else None
        return ReadPage(tuple(map(_read, answer["Items"])), going_on)


@dataclass(frozen=True, slots=True)
class LoggedContacts:
    """The vault for somebody whose reads are logged, each with its reason."""

    contacts: Contacts
    log: AccessLog
    actor: str
    why: str
    clock: Callable[[], datetime]

    def contact(self, customer_id: str, order_id: str) -> Contact | None:
        found = self.contacts.contact(customer_id, order_id)
        if found is not None:
            what = f"contact of {order_id}"
            self.log.read(self.actor, customer_id, what, self.why, self.clock())
        return found


@cache
def access_log() -> AccessLog:
    """Needs ORDERS_TABLE, where the policy is, and CUSTOMERS_TABLE."""
    return AccessLog(db.client(), setting("CUSTOMERS_TABLE"), privacy_policy)


def privacy_policy() -> PrivacyPolicy:
    return policies_table().current("privacy", PrivacyPolicy)[0]


def _read(row: Item) -> Read:
    at = moment(db.text(row, "SK").split("#")[1])
    return Read(db.text(row, "actor"), db.text(row, "what"), db.text(row, "why"), at)


def _place(customer_id: str, cursor: str) -> Item:
    given = decode_cursor(cursor)
    if given.keys() != {"read"} or not given["read"].startswith(READ):
        raise BadCursor
    return db.key(_pk(customer_id), sort_key(given["read"]))


def _pk(customer_id: str) -> str:
    return f"PERSON#{customer_id}"
