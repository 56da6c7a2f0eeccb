"""A query by the beginning of a sort key finds what it would find row by row."""

from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.dynamodb import key
from tests.tables import create_table

pytestmark = pytest.mark.cloud

SORTS = ("LEVEL", "LEVEL#A", "LEVEL#B", "MOVE#1", "MOVE#LEVEL#", "level#C")


@pytest.mark.parametrize("condition", ["begins_with(SK, :sk)", "begins_with(#sk,:sk)"])
@pytest.mark.parametrize(
    ("prefix", "found"),
    [("LEVEL#", ["LEVEL#A", "LEVEL#B"]), ("MOVE", ["MOVE#1", "MOVE#LEVEL#"]), ("X", [])],
)
def test_only_rows_that_begin_so_are_found_in_order(
    dynamodb: Any, condition: str, prefix: str, found: list[str]
) -> None:
    table = create_table(dynamodb, "stock", f"stock-{uuid4()}")
    for partition in ("ONE", "OTHER"):
        for sort in reversed(SORTS):
            dynamodb.put_item(TableName=table, Item=key(partition, sort))
    asked: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": f"PK = :pk AND {condition}",
        "ExpressionAttributeValues": {":pk": {"S": "ONE"}, ":sk": {"S": prefix}},
    }
    if "#sk" in condition:
        asked["ExpressionAttributeNames"] = {"#sk": "SK"}

    first = dynamodb.query(**asked)
    last = dynamodb.query(**asked, ScanIndexForward=False)

    assert [row["SK"]["S"] for row in first["Items"]] == found
    assert [row["SK"]["S"] for row in last["Items"]] == found[::-1]
