"""What orders cost beside their goods, as others have stated it, in the reports table.

COST#<order_id> / <kind>#<statement>#<line>     one cost, counted once for its line
COSTS#<reconciliation_id> / <order_id>#<…>      where a reconciliation finds what it has told
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.settings import setting

CONDITION_FAILED = "ConditionalCheckFailedException"


class CostKind(StrEnum):
    SHIPPING = "shipping"
    PAYMENT_FEE = "payment_fee"


@dataclass(frozen=True, slots=True)
class Cost:
    """`amount` in minor units, below zero where something was given back; `line` names what was
    stated, the same in a corrected file."""

    order_id: str
    kind: CostKind
    amount: int
    currency: str
    source: str
    statement: str
    line: str
    on: date | None = None

    @property
    def sort_key(self) -> str:
        return f"{self.kind}#{self.statement}#{self.line}"


class CostsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def of_order(self, order_id: str) -> tuple[Cost, ...]:
        return tuple(_read(row) for row in self._rows(f"COST#{order_id}"))

    def writes(self, cost: Cost, reconciliation_id: str) -> tuple[Write, Write]:
        """In the place of what the same line has told before."""
        listed = db.key(f"COSTS#{reconciliation_id}", f"{cost.order_id}#{cost.sort_key}")
        return (
            Write({"Put": {"TableName": self._table, "Item": _row(cost, reconciliation_id)}}),
            Write({"Put": {"TableName": self._table, "Item": listed}}),
        )

    def told_by(self, reconciliation_id: str) -> Iterator[tuple[str, str]]:
        """Orders, and the keys of their costs."""
        for row in self._rows(f"COSTS#{reconciliation_id}"):
            order_id, _, sort_key = db.text(row, "SK").partition("#")
            yield order_id, sort_key

    def take_back(self, reconciliation_id: str) -> None:
        """What nobody has told anew since."""
        for order_id, sort_key in self.told_by(reconciliation_id):
            with suppress(_Newer):
                self._delete(order_id, sort_key, reconciliation_id)

    def _delete(self, order_id: str, sort_key: str, reconciliation_id: str) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=db.key(f"COST#{order_id}", sort_key),
                ConditionExpression="reconciliation = :old",
                ExpressionAttributeValues={":old": db.s(reconciliation_id)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == CONDITION_FAILED:
                raise _Newer from None
            raise

    def _rows(self, partition: str) -> Iterator[Item]:
        return db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(partition)},
            ConsistentRead=True,
        )


class _Newer(Exception):
    """Another reconciliation has told it since, or nobody tells it any more."""


@cache
def costs_table() -> CostsTable:
    return CostsTable(db.client(), setting("REPORTS_TABLE"))


def _row(cost: Cost, reconciliation_id: str) -> Item:
    said = {"source": cost.source, "statement": cost.statement, "line": cost.line}
    said |= {"currency": cost.currency, "kind": cost.kind.value}
    said |= {"on": cost.on.isoformat()} if cost.on else {}
    return {
        **db.key(f"COST#{cost.order_id}", cost.sort_key),
        **{name: db.s(value) for name, value in said.items()},
        "amount": db.n(cost.amount),
        "reconciliation": db.s(reconciliation_id),
    }


def _read(row: Item) -> Cost:
    return Cost(
        db.text(row, "PK").removeprefix("COST#"),
        CostKind(db.text(row, "kind")),
        db.number(row, "amount"),
        db.text(row, "currency"),
        db.text(row, "source"),
        db.text(row, "statement"),
        db.text(row, "line"),
        date.fromisoformat(db.text(row, "on")) if "on" in row else None,
    )
