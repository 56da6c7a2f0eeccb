"""Edits that were proposed, beside their orders.

ORDER#<id> / EDIT#<edit_id>    the proposal; `state` proposed, used or discarded; `expires_at`
                               removes it, unless the order has taken it up
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache, partial
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.order_rows import order_pk
from oms.contracts import codec
from oms.domain.edits import Proposal
from oms.domain.errors import Conflict, NotFound, Refused
from oms.settings import setting

SEEN_FOR = timedelta(days=30)  # after it has expired
PREFIX = "EDIT#"


class ProposalState(StrEnum):
    PROPOSED = "proposed"
    USED = "used"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Filed:
    proposal: Proposal
    state: ProposalState


class ProposedBefore(Exception):
    """The same edit was proposed before, in the same words."""

    def __init__(self, filed: Filed) -> None:
        super().__init__(filed.proposal.edit_id)
        self.filed = filed


class NoLongerProposed(Refused):
    """It was discarded, or the order has taken it up."""


class EditsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def propose(
        self, order_id: str, proposal: Proposal, fingerprint: str, beside: Sequence[Write] = ()
    ) -> Filed:
        filed = Filed(proposal, ProposalState.PROPOSED)
        gone = int((proposal.expires_at + SEEN_FOR).timestamp())
        item = {
            **_key(order_id, proposal.edit_id),
            "state": db.s(filed.state),
            "fingerprint": db.s(fingerprint),
            "expires_at": db.n(gone),
            "body": db.pack(codec.encode(proposal)),
        }
        put = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        kept = Write({"Put": put}, partial(_there_already, fingerprint))
        db.transact(self._client, [kept, *beside])
        return filed

    def get(self, order_id: str, edit_id: str) -> Filed:
        row = db.get_row(self._client, self._table, _key(order_id, edit_id))
        if row is None:
            raise NotFound("edit", edit_id)
        return _read(row)

    def page(self, order_id: str, after: str | None, limit: int) -> tuple[list[Filed], str | None]:
        """In no order that means anything; the id after which to go on, if there are more."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk AND begins_with(SK, :edit)",
            "ExpressionAttributeValues": {":pk": db.s(order_pk(order_id)), ":edit": db.s(PREFIX)},
            "Limit": limit,
            "ConsistentRead": True,
        }
        if after is not None:
            request["ExclusiveStartKey"] = _key(order_id, after)
        answer = self._client.query(**request)
        last = answer.get("LastEvaluatedKey")
        more = db.text(last, "SK").removeprefix(PREFIX) if last else None
        return [_read(row) for row in answer["Items"]], more

    def taking_up(self, order_id: str, edit_id: str) -> Write:
        """Of the transaction in which the order accepts or applies it: then it is kept."""
        update = self._turned(order_id, edit_id, ProposalState.USED)
        update["UpdateExpression"] += " REMOVE expires_at"
        return Write({"Update": update}, partial(_changed, edit_id))

    def discard(self, order_id: str, edit_id: str) -> None:
        """Twice is once; `NoLongerProposed` when the order was faster."""
        update = self._turned(order_id, edit_id, ProposalState.DISCARDED)
        update["ExpressionAttributeValues"][":twice"] = db.s(ProposalState.DISCARDED)
        update["ConditionExpression"] = "#state = :proposed OR #state = :twice"
        db.transact(self._client, [Write({"Update": update}, partial(_changed, edit_id))])

    def _turned(self, order_id: str, edit_id: str, state: ProposalState) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": _key(order_id, edit_id),
            "UpdateExpression": "SET #state = :state",
            "ConditionExpression": "#state = :proposed",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":state": db.s(state),
                ":proposed": db.s(ProposalState.PROPOSED),
            },
        }


@cache
def edits_table() -> EditsTable:
    return EditsTable(db.client(), setting("ORDERS_TABLE"))


def _key(order_id: str, edit_id: str) -> Item:
    return db.key(order_pk(order_id), PREFIX + edit_id)


def _read(row: Item) -> Filed:
    proposal = codec.decode(db.unpack(row["body"]), Proposal)
    return Filed(proposal, ProposalState(db.text(row, "state")))


def _there_already(fingerprint: str, row: Item | None) -> Exception:
    if row is None or db.text(row, "fingerprint") != fingerprint:
        return Conflict("this Idempotency-Key was used before with another body")
    return ProposedBefore(_read(row))


def _changed(edit_id: str, row: Item | None) -> Exception:
    if row is None:
        return NotFound("edit", edit_id)
    return NoLongerProposed(f"{edit_id} is {db.text(row, 'state')}")
