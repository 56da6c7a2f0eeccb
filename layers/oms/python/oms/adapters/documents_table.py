"""Invoices and credit notes: numbered without a gap in each series, and never changed.

SERIES#<series> / COUNTER              `last` number given
SERIES#<series> / NUMBER#<sequence>    whose document it is
ORDER#<id> / DOCUMENT#<seq of event>   the document

Number and document are written in one transaction, so no number is given to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.order_rows import order_pk
from oms.contracts import codec
from oms.domain.errors import Contended, NotFound, OmsError
from oms.domain.invoicing import Document, Draft, InvoicePolicy, numbered
from oms.settings import setting

ATTEMPTS = 20
ABSENT = "attribute_not_exists(PK)"


class Overtaken(OmsError):
    """Another document of the series was numbered meanwhile, or this one."""


class DocumentsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def issue(
        self, draft: Draft, policy: InvoicePolicy, at: datetime, refers_to: Sequence[str] = ()
    ) -> Document:
        """The draft's document: the one that it has already, or a new one with the next number."""
        for _ in range(ATTEMPTS):
            if known := self._document(_key_of(draft)):
                return known
            series = policy.series(draft.kind, at)
            last = self._last(series)
            number = numbered(series, last + 1)
            document = Document(number, draft, at, policy.seller, tuple(refers_to))
            try:
                db.transact(self._client, self._writes(document, series, last))
            except Overtaken:
                continue
            return document
        raise Contended(f"the documents of {draft.order_id} wait for their numbers")

    def of_order(self, order_id: str) -> Iterator[Document]:
        """Oldest first."""
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :document)",
            ExpressionAttributeValues={
                ":pk": db.s(order_pk(order_id)),
                ":document": db.s("DOCUMENT#"),
            },
            ConsistentRead=True,
        )
        return map(_document_of, rows)

    def numbered(self, number: str) -> Document:
        series, _, sequence = number.rpartition("-")
        row = db.get_row(self._client, self._table, _number_key(series, sequence))
        document = self._document({"PK": row["order"], "SK": row["document"]}) if row else None
        if document is None:
            raise NotFound("document", number)
        return document

    def _document(self, where: Item) -> Document | None:
        row = db.get_row(self._client, self._table, where)
        return _document_of(row) if row else None

    def _last(self, series: str) -> int:
        row = db.get_row(self._client, self._table, _counter_key(series))
        return db.number(row, "last") if row else 0

    def _writes(self, document: Document, series: str, last: int) -> list[Write]:
        where = _key_of(document.draft)
        body = {"body": db.pack(codec.encode(document))}
        sequence = document.number.rpartition("-")[2]
        whose = {"order": where["PK"], "document": where["SK"]}
        return [
            self._put({**where, **body}),
            self._counted(series, last),
            self._put({**_number_key(series, sequence), **whose}),
        ]

    def _put(self, item: Item) -> Write:
        put = {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}
        return Write({"Put": put}, _overtaken)

    def _counted(self, series: str, last: int) -> Write:
        condition = "#last = :last" if last else ABSENT
        values = {":next": db.n(last + 1), **({":last": db.n(last)} if last else {})}
        update = {
            "TableName": self._table,
            "Key": _counter_key(series),
            "UpdateExpression": "SET #last = :next",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#last": "last"},
            "ExpressionAttributeValues": values,
        }
        return Write({"Update": update}, _overtaken)


@cache
def documents_table() -> DocumentsTable:
    return DocumentsTable(db.client(), setting("ORDERS_TABLE"))


def _overtaken(old: Item | None) -> Exception:  # noqa: ARG001
    return Overtaken("the number is given")


def _key_of(draft: Draft) -> Item:
    return db.key(order_pk(draft.order_id), f"DOCUMENT#{draft.event_id.rpartition('#')[2]}")


def _counter_key(series: str) -> Item:
    return db.key(f"SERIES#{series}", "COUNTER")


def _number_key(series: str, sequence: str) -> Item:
    return db.key(f"SERIES#{series}", f"NUMBER#{sequence}")


def _document_of(row: Item) -> Document:
    return codec.decode(db.unpack(row["body"]), Document)
