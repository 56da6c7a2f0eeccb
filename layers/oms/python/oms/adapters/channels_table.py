"""What sales channels sell from, in the stock table: CHANNELS / <channel>."""

from __future__ import annotations

from functools import cache

from oms.adapters.dynamodb import DynamoDB, client, get_row, key, pack, query, s, unpack
from oms.contracts import codec
from oms.domain.availability import Channel
from oms.settings import setting

CHANNELS = "CHANNELS"


class ChannelsTable:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name

    def get(self, channel: str) -> Channel:
        """One that nobody has said anything of sells all from everywhere."""
        row = get_row(self._client, self._table, key(CHANNELS, channel))
        return codec.decode(unpack(row["body"]), Channel) if row else Channel(channel)

    def all(self) -> dict[str, Channel]:
        """Those of which something was said, by their names."""
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(CHANNELS)},
            ConsistentRead=True,
        )
        found = (codec.decode(unpack(row["body"]), Channel) for row in rows)
        return {channel.channel: channel for channel in found}

    def put(self, channel: Channel) -> None:
        """The last word counts."""
        row = {**key(CHANNELS, channel.channel), "body": pack(codec.encode(channel))}
        self._client.put_item(TableName=self._table, Item=row)


@cache
def channels_table() -> ChannelsTable:
    return ChannelsTable(client(), setting("STOCK_TABLE"))
