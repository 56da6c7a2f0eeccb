"""The tables as the app declares them, for tests that need a table and no deployment."""

from typing import Any

from oms.adapters.dynamodb import DynamoDB

STREAMED = frozenset({"orders", "stock"})
INDEXES = {"orders": ("GSI1", "GSI2", "GSI3"), "jobs": ("GSI1",), "channels": ("GSI1",)}
TABLES = ("orders", "stock", "customers", "keys", "reports", "jobs", "channels")


def create_table(client: DynamoDB, kind: str, name: str) -> str:
    """A table of one of the seven kinds, under a name of the test's own."""
    client.create_table(TableName=name, **schema(kind))  # type: ignore[attr-defined]
    return name


def schema(kind: str) -> dict[str, Any]:
    indexes = INDEXES.get(kind, ())
    keys = ["PK", "SK", *(f"{index}PK" for index in indexes), *(["at"] if indexes else [])]
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": key_schema("PK", "SK"),
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
        **({"GlobalSecondaryIndexes": [index(name) for name in indexes]} if indexes else {}),
        **({"StreamSpecification": STREAM} if kind in STREAMED else {}),
    }


def key_schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def index(name: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": key_schema(f"{name}PK", "at"),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }


STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
