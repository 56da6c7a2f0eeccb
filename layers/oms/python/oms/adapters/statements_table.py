"""Statements of others beside what we have done, in the reports table.

RECONCILIATION#<id> / HEAD             what was read, and what came of it
RECONCILIATIONS / <at>#<id>            all of them, as they were begun
STATEMENT#<name> / CURRENT             the reconciliation of its last file
PAIRS#<id> / <key>                     a line beside an operation of ours, while they are found
FOUND#<id>#<outcome> / <key>           what became of it
STATED#<subject> / STATED              the statement that has told of an operation: no other may

All but CURRENT go after KEEP, pairs after FORGET.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.stock_rows import stamp
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor, sort_key
from oms.domain.errors import Contended, NotFound, OmsError
from oms.domain.reconciling.judging import Finding, Outcome
from oms.domain.reconciling.pairs import Pair
from oms.domain.reconciling.reconciliation import Reconciliation, statement_of
from oms.settings import setting

KEEP, FORGET = timedelta(days=400), timedelta(days=30)
LIST = "RECONCILIATIONS"
OUTCOMES = tuple(Outcome)
CONDITION_FAILED = "ConditionalCheckFailedException"


class AnotherFile(OmsError):
    """Another file of the same statement was reconciled meanwhile."""


@dataclass(frozen=True, slots=True)
class Current:
    reconciliation_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has told of an operation."""

    reconciliation_id: str
    statement: str


@dataclass(frozen=True, slots=True)
class FindingPage:
    findings: tuple[Finding, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ReconciliationPage:
    """Newest first."""

    reconciliations: tuple[Reconciliation, ...]
    cursor: str | None


class StatementsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def begin(self, new: Reconciliation) -> None:
        """Begun again, it stays as it is."""
        listed = {**db.key(LIST, f"{stamp(new.at)}#{new.reconciliation_id}"), **_expiry(new.at)}
        head = {**_head_row(new)}
        condition = {"ConditionExpression": "attribute_not_exists(PK)"}
        put = {"TableName": self._table, "Item": head, **condition}
        try:
            db.transact(
                self._client,
                [
                    Write({"Put": put}, lambda _: _Known()),
                    Write({"Put": {"TableName": self._table, "Item": listed}}),
                ],
            )
        except _Known:
            return

    def find(self, reconciliation_id: str) -> Reconciliation | None:
        row = db.get_row(self._client, self._table, _head_key(reconciliation_id))
        return _head_of(row) if row and "body" in row else None

    def get(self, reconciliation_id: str) -> Reconciliation:
        if (found := self.find(reconciliation_id)) is None:
            raise NotFound("reconciliation", reconciliation_id)
        return found

    def same(self, new: Reconciliation) -> None:
        """Its content is known: nothing else is written."""
        self._client.put_item(TableName=self._table, Item=_head_row(new))

    def page(self, limit: int, cursor: str | None = None) -> ReconciliationPage:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(LIST)},
            ScanIndexForward=False,
            Limit=limit,
            **({"ExclusiveStartKey": db.key(LIST, _after(cursor))} if cursor else {}),
        )
        ids = [db.text(row, "SK").rpartition("#")[2] for row in answer["Items"]]
        keys = [_head_key(each) for each in ids]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        by_id = {each.reconciliation_id: each for each in map(_head_of, rows)}
        last = answer.get("LastEvaluatedKey")
        found = tuple(by_id[each] for each in ids if each in by_id)
        return ReconciliationPage(found, encode_cursor({"SK": last["SK"]["S"]}) if last else None)

    def current(self, statement: str) -> Current | None:
        row = db.get_row(self._client, self._table, _current_key(statement))
        if row is None:
            return None
        return Current(db.text(row, "reconciliation"), db.text(row, "digest"))

    def settled(self, done: Reconciliation) -> tuple[Write, ...]:
        """It is the last word on its statement now, if that which it takes the place of was."""
        statement, head = statement_of(done.scope), _head_row(done)
        current = {
            **_current_key(statement),
            "reconciliation": db.s(done.reconciliation_id),
            "digest": db.s(done.digest),
        }
        put: dict[str, object] = {"TableName": self._table, "Item": current}
        put["ConditionExpression"] = "attribute_not_exists(PK) OR reconciliation = :old"
        put["ExpressionAttributeValues"] = {":old": db.s(done.supersedes or "-")}
        writes = [
            Write({"Put": put}, lambda _: AnotherFile(statement)),
            Write({"Put": {"TableName": self._table, "Item": head}}),
        ]
        if done.supersedes:
            writes.append(self._superseded(done))
        return tuple(writes)

    def _superseded(self, done: Reconciliation) -> Write:
        update = {
            "TableName": self._table,
            "Key": _head_key(done.supersedes),
            "UpdateExpression": "SET superseded_by = :new",
            "ExpressionAttributeValues": {":new": db.s(done.reconciliation_id)},
        }
        return Write({"Update": update})

    def put_pair(self, reconciliation_id: str, pair: Pair, at: datetime) -> Write:
        row = {
            **db.key(f"PAIRS#{reconciliation_id}", pair.key),
            "body": db.pack(codec.encode(pair)),
            **_expiry(at, FORGET),
        }
        return Write({"Put": {"TableName": self._table, "Item": row}})

    def pairs_of(self, reconciliation_id: str, prefix: str) -> tuple[Pair, ...]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={
                ":pk": db.s(f"PAIRS#{reconciliation_id}"),
                ":prefix": db.s(prefix),
            },
            ConsistentRead=True,
        )
        return tuple(map(_pair_of, rows))

    def pairs(self, reconciliation_id: str, keys: Iterable[str]) -> tuple[Pair, ...]:
        """Those that are there, in no order."""
        wanted = [db.key(f"PAIRS#{reconciliation_id}", each) for each in dict.fromkeys(keys)]
        rows = db.batch_get(self._client, self._table, wanted, ConsistentRead=True)
        return tuple(map(_pair_of, rows))

    def pairs_after(self, reconciliation_id: str, key: str, limit: int) -> tuple[Pair, ...]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK > :after",
            ExpressionAttributeValues={
                ":pk": db.s(f"PAIRS#{reconciliation_id}"),
                ":after": db.s(key or " "),
            },
            ConsistentRead=True,
            Limit=limit,
        )
        return tuple(map(_pair_of, answer["Items"]))

    def claims(self, subjects: Sequence[str]) -> dict[str, Claim]:
        wanted = [_claim_key(each) for each in dict.fromkeys(subjects)]
        rows = db.batch_get(self._client, self._table, wanted, ConsistentRead=True)
        return {db.text(row, "PK").removeprefix("STATED#"): _claim_of(row) for row in rows}

    def claim(self, subject: str, claim: Claim, at: datetime) -> Write:
        """Contended where another statement has told of it this moment."""
        row = {
            **_claim_key(subject),
            "reconciliation": db.s(claim.reconciliation_id),
            "statement": db.s(claim.statement),
            **_expiry(at),
        }
        put = {
            "TableName": self._table,
            "Item": row,
            "ConditionExpression": "attribute_not_exists(PK) OR statement = :mine",
            "ExpressionAttributeValues": {":mine": db.s(claim.statement)},
        }
        return Write({"Put": put}, lambda _: Contended("another statement tells of it as well"))

    def release(self, subject: str, reconciliation_id: str) -> None:
        """Unless another one has told of it since."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_claim_key(subject),
                ConditionExpression="reconciliation = :old",
                ExpressionAttributeValues={":old": db.s(reconciliation_id)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise

    def put_finding(self, reconciliation_id: str, finding: Finding, at: datetime) -> Write:
        row = {
            **db.key(_found(reconciliation_id, finding.outcome), finding.pair.key),
            "body": db.pack(codec.encode(finding)),
            **_expiry(at),
        }
        return Write({"Put": {"TableName": self._table, "Item": row}})

    def finding(self, reconciliation_id: str, outcome: Outcome, key: str) -> Finding | None:
        where = db.key(_found(reconciliation_id, outcome), key)
        row = db.get_row(self._client, self._table, where)
        return _finding_of(row) if row else None

    def findings(self, reconciliation_id: str, outcomes: Iterable[Outcome]) -> Iterator[Finding]:
        """All of them, in bounded memory."""
        for outcome in outcomes:
            rows = db.query(
                self._client,
                TableName=self._table,
                KeyConditionExpression="PK = :pk",
                ExpressionAttributeValues={":pk": db.s(_found(reconciliation_id, outcome))},
                ConsistentRead=True,
            )
            yield from map(_finding_of, rows)

    def findings_after(
        self, reconciliation_id: str, outcome: Outcome, key: str, limit: int
    ) -> tuple[Finding, ...]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK > :after",
            ExpressionAttributeValues={
                ":pk": db.s(_found(reconciliation_id, outcome)),
                ":after": db.s(key or " "),
            },
            ConsistentRead=True,
            Limit=limit,
        )
        return tuple(map(_finding_of, answer["Items"]))

    def lines(
        self, reconciliation_id: str, outcome: str, limit: int, cursor: str | None
    ) -> FindingPage:
        """Of one outcome, or of all, one after the other."""
        start, after = _position(cursor, outcome)
        asked = [Outcome(outcome)] if outcome else list(OUTCOMES[OUTCOMES.index(start) :])
        found: list[Finding] = []
        for each in asked:
            key = after if each is start else ""
            found += self.findings_after(reconciliation_id, each, key, limit + 1 - len(found))
            if len(found) > limit:
                last = found[limit - 1]
                return FindingPage(tuple(found[:limit]), _finding_cursor(last))
        return FindingPage(tuple(found), None)


class _Known(OmsError):
    """It was begun before."""


@cache
def statements_table() -> StatementsTable:
    return StatementsTable(db.client(), setting("REPORTS_TABLE"))


def _head_row(head: Reconciliation) -> Item:
    told = replace(head, superseded_by="")
    row = {**_head_key(head.reconciliation_id), "body": db.pack(codec.encode(told))}
    if head.superseded_by:
        row["superseded_by"] = db.s(head.superseded_by)
    return {**row, **_expiry(head.at)}


def _head_of(row: Item) -> Reconciliation:
    head = codec.decode(db.unpack(row["body"]), Reconciliation)
    by = db.text(row, "superseded_by") if "superseded_by" in row else ""
    return replace(head, superseded_by=by)


def _pair_of(row: Item) -> Pair:
    return codec.decode(db.unpack(row["body"]), Pair)


def _finding_of(row: Item) -> Finding:
    return codec.decode(db.unpack(row["body"]), Finding)


def _claim_of(row: Item) -> Claim:
    return Claim(db.text(row, "reconciliation"), db.text(row, "statement"))


def _head_key(reconciliation_id: str) -> Item:
    return db.key(f"RECONCILIATION#{reconciliation_id}", "HEAD")


def _current_key(statement: str) -> Item:
    return db.key(f"STATEMENT#{statement}", "CURRENT")


def _claim_key(subject: str) -> Item:
    return db.key(f"STATED#{subject}", "STATED")


def _found(reconciliation_id: str, outcome: Outcome) -> str:
    return f"FOUND#{reconciliation_id}#{outcome.value}"


def _expiry(at: datetime, after: timedelta = KEEP) -> Item:
    return {"expires_at": db.n(int((at + after).timestamp()))}


def _after(cursor: str) -> str:
    given = decode_cursor(cursor)
    if given.keys() != {"SK"}:
        raise BadCursor
    return sort_key(given["SK"])


def _position(cursor: str | None, outcome: str) -> tuple[Outcome, str]:
    if cursor is None:
        return (Outcome(outcome) if outcome else OUTCOMES[0]), ""
    given = decode_cursor(cursor)
    if given.keys() != {"outcome", "key"} or given["outcome"] not in [*OUTCOMES]:
        raise BadCursor
    if outcome and given["outcome"] != outcome:
        raise BadCursor
    return Outcome(given["outcome"]), sort_key(given["key"])


def _finding_cursor(last: Finding) -> str:
    return encode_cursor({"outcome": last.outcome.value, "key": last.pair.key})
