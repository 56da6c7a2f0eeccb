"""One worker at a time sends to a shop, and none while the shop has asked for a pause.

SENDING#<shop> / SENDING    `owner` until `until`; `paused_until`: what the shop has asked for
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters.dynamodb import DynamoDB, client, key, s
from oms.adapters.stock_rows import stamp
from oms.settings import setting

FREE = "(attribute_not_exists(#until) OR #until <= :now)"
AWAKE = "(attribute_not_exists(paused_until) OR paused_until <= :now)"
NAMES = {"#until": "until", "#owner": "owner"}


class ShopLeases:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def take(self, shop: str, owner: str, now: datetime, until: datetime) -> bool:
        """Not while another worker has it, nor while the shop pauses. It ends by itself."""
        values = {":owner": owner, ":now": stamp(now), ":until": stamp(until)}
        said = "SET #owner = :owner, #until = :until REMOVE paused_until"
        return self._update(shop, said, f"{FREE} AND {AWAKE}", values)

    def give_back(self, shop: str, owner: str, paused_until: datetime | None = None) -> bool:
        """One that has ended, and was taken by another, stays theirs."""
        values = {":owner": owner}
        said = "REMOVE #owner, #until"
        if paused_until:
            said = "SET paused_until = :paused " + said
            values |= {":paused": stamp(paused_until)}
        return self._update(shop, said, "#owner = :owner", values)

    def _update(self, shop: str, said: str, condition: str, values: dict[str, str]) -> bool:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": key(f"SENDING#{shop}", "SENDING"),
            "UpdateExpression": said,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": NAMES if "#until" in said + condition else {},
            "ExpressionAttributeValues": {name: s(value) for name, value in values.items()},
        }
        try:
            self._client.update_item(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


@cache
def shop_leases() -> ShopLeases:
    return ShopLeases(client(), setting("CHANNELS_TABLE"))
