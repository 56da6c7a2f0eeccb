"""How addresses stand with us, in the customers table.

ADDRESS#<digest> / NOTICES   suppressed, mails, texts, locale, time_zone; at

The digest is keyed: nobody finds an address in it. Erasing a person leaves the row: it keeps them
from being written to again.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB
from oms.domain.notices.standing import Standing
from oms.settings import setting

UNKNOWN = Standing()


class Standings:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def of(self, address_id: str) -> Standing:
        """Perhaps a moment old, at half the price."""
        row = db.get_row(self._client, self._table, _key(address_id), consistent=False)
        return _read(row) if row else UNKNOWN

    def suppress(self, address_id: str, why: str, at: datetime) -> None:
        self._set(address_id, at, {"suppressed": db.s(why)})

    def allow(self, address_id: str, at: datetime) -> None:
        """Somebody has made sure that it can be written to again."""
        self._set(address_id, at, {"suppressed": db.s("")})

    def choose(self, address_id: str, at: datetime, *, mails: bool, texts: bool) -> None:
        self._set(address_id, at, {"mails": db.flag(mails), "texts": db.flag(texts)})

    def prefer(self, address_id: str, at: datetime, *, locale: str, time_zone: str) -> None:
        self._set(address_id, at, {"locale": db.s(locale), "time_zone": db.s(time_zone)})

    def agree_to_texts(self, address_id: str, at: datetime, *, agreed: bool) -> None:
        self._set(address_id, at, {"texts": db.flag(agreed)})

    def stop_mails(self, address_id: str, at: datetime) -> None:
        self._set(address_id, at, {"mails": db.flag(False)})

    def _set(self, address_id: str, at: datetime, said: db.Item) -> None:
        names = {f"#{name}": name for name in (*said, "at")}
        values = {f":{name}": value for name, value in said.items()}
        self._client.update_item(
            TableName=self._table,
            Key=_key(address_id),
            UpdateExpression="SET " + ", ".join(f"{n} = :{n[1:]}" for n in names),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={**values, ":at": db.s(at.isoformat())},
        )


@cache
def standings() -> Standings:
    return Standings(db.client(), setting("CUSTOMERS_TABLE"))


def _key(address_id: str) -> db.Item:
    return db.key(f"ADDRESS#{address_id}", "NOTICES")


def _read(row: db.Item) -> Standing:
    def text(name: str) -> str:
        return db.text(row, name) if name in row else ""

    return Standing(
        suppressed=text("suppressed"),
        mails=bool(row["mails"]["BOOL"]) if "mails" in row else True,
        texts=bool(row["texts"]["BOOL"]) if "texts" in row else False,
        locale=text("locale"),
        time_zone=text("time_zone"),
    )
