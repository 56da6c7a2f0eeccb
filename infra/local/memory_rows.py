"""DynamoDB's rows in memory, for simulations and model tests: what our stock's expressions need.

Conditions are comparisons joined by AND; updates SET and ADD plain names. One caller at a time.
"""

import re
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, Any]]
Key = tuple[str, str, str]  # table, PK, SK

COMPARISON = re.compile(r"(\w+) (>=|=) (:\w+)")
EXISTENCE = re.compile(r"attribute_(not_)?exists\((\w+)\)")
CLAUSE = re.compile(r"(SET|ADD) (.+?)(?= SET | ADD |$)")


@dataclass
class MemoryRows:
    """`refuse` may answer an error code and what is said with it, instead of the write."""

    refuse: Callable[[str, Mapping[str, Any]], tuple[str, Mapping[str, Any]] | None] = (
        lambda action, asked: None  # noqa: ARG005
    )
    rows: dict[Key, Item] = field(default_factory=dict)
    _sorts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)

    def get_item(self, **asked: Any) -> dict[str, Any]:
        row = self.rows.get(key_of(asked))
        return {"Item": dict(row)} if row else {}

    def put_item(self, **asked: Any) -> dict[str, Any]:
        self._meet("PutItem", asked)
        self._write("Put", asked)
        return {}

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        found = {
            table: [dict(row) for key in each["Keys"] if (row := self.rows.get(keyed(table, key)))]
            for table, each in RequestItems.items()
        }
        return {"Responses": found}

    def query(self, **asked: Any) -> dict[str, Any]:
        values = asked["ExpressionAttributeValues"]
        table, partition = asked["TableName"], values[":pk"]["S"]
        prefix = next((v["S"] for name, v in values.items() if name != ":pk"), "")
        sorts = self._sorts.get((table, partition), [])
        if not asked.get("ScanIndexForward", True):
            sorts = sorts[::-1]
        found = (self.rows[table, partition, sort] for sort in sorts if sort.startswith(prefix))
        return {"Items": [dict(row) for row in found]}

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        """Once for each request token."""
        if asked["ClientRequestToken"] in self._done:
            return {}
        self._meet("TransactWriteItems", asked)
        writes = [next(iter(each.items())) for each in asked["TransactItems"]]
        reasons = [self._reason(what) for _, what in writes]
        if any(reason["Code"] != "None" for reason in reasons):
            raise error("TransactionCanceledException", {"CancellationReasons": reasons})
        for verb, what in writes:
            self._write(verb, what)
        self._done.add(asked["ClientRequestToken"])
        return {}

    def _meet(self, action: str, asked: Mapping[str, Any]) -> None:
        if refusal := self.refuse(action, asked):
            raise error(*refusal)

    def _reason(self, what: Mapping[str, Any]) -> dict[str, Any]:
        row = self.rows.get(key_of(what))
        if all(self._holds(part, row, what) for part in parts(what)):
            return {"Code": "None"}
        return {"Code": "ConditionalCheckFailed", **({"Item": dict(row)} if row else {})}

    def _holds(self, part: str, row: Item | None, what: Mapping[str, Any]) -> bool:
        if found := EXISTENCE.fullmatch(part):
            return bool(row and found[2] in row) is not bool(found[1])
        name, sign, value = COMPARISON.fullmatch(part).groups()  # type: ignore[union-attr]
        if row is None or name not in row:
            return False
        mine, theirs = number(row[name]), number(what["ExpressionAttributeValues"][value])
        return mine >= theirs if sign == ">=" else mine == theirs

    def _write(self, verb: str, what: Mapping[str, Any]) -> None:
        key = key_of(what)
        if verb == "Put":
            self._keep(key, dict(what["Item"]))
        elif verb == "Update":
            self._keep(key, updated(self.rows.get(key, dict(what["Key"])), what))
        elif verb == "Delete" and self.rows.pop(key, None) is not None:
            self._sorts[key[:2]].remove(key[2])

    def _keep(self, key: Key, row: Item) -> None:
        if key not in self.rows:
            insort(self._sorts.setdefault(key[:2], []), key[2])
        self.rows[key] = row


def updated(row: Item, what: Mapping[str, Any]) -> Item:
    values = what["ExpressionAttributeValues"]
    new = dict(row)
    for verb, name, value in assignments(what["UpdateExpression"]):
        before = number(new[name]) if verb == "ADD" and name in new else 0
        new[name] = {"N": str(before + number(values[value]))} if verb == "ADD" else values[value]
    return new


def assignments(expression: str) -> Iterator[tuple[str, str, str]]:
    for verb, clause in CLAUSE.findall(expression):
        for each in clause.split(", "):
            name, value = each.replace(" = ", " ").split()
            yield verb, name, value


def parts(what: Mapping[str, Any]) -> list[str]:
    condition = what.get("ConditionExpression", "")
    return condition.split(" AND ") if condition else []


def key_of(what: Mapping[str, Any]) -> Key:
    return keyed(what["TableName"], what.get("Key") or what["Item"])


def keyed(table: str, key: Mapping[str, Any]) -> Key:
    return table, key["PK"]["S"], key["SK"]["S"]


def number(value: Mapping[str, Any]) -> int:
    return int(value["N"])


def error(code: str, said: Mapping[str, Any]) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}, **said}, "DynamoDB")  # type: ignore[typeddict-item]
