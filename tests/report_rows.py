"""The reports table and its files in memory, as far as the archive and the reports use them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, Any]]
Key = tuple[str, str]

EXISTS = re.compile(r"attribute_(not_)?exists\(([#\w]+)\)")
COMPARES = re.compile(r"([#\w]+) (=|<|>) (:\w+)")
SETS = re.compile(r"([#\w]+) = (?:if_not_exists\(([#\w]+), (:\w+)\)|(:\w+))")
ADDS = re.compile(r"([#\w]+) (:\w+)")


@dataclass
class ReportRows:
    rows: dict[Key, Item] = field(default_factory=dict)
    lock: Any = field(default_factory=RLock, repr=False)
    calls: Counter[str] = field(default_factory=Counter)

    def get_item(self, **asked: Any) -> dict[str, Any]:
        with self.lock:
            self.calls["get"] += 1
            row = self.rows.get(key_of(asked["Key"]))
            return {"Item": dict(row)} if row else {}

    def put_item(self, **asked: Any) -> dict[str, Any]:
        with self.lock:
            self.calls["write"] += 1
            self._check(asked["Item"], asked)
            self.rows[key_of(asked["Item"])] = dict(asked["Item"])
            return {}

    def update_item(self, **asked: Any) -> dict[str, Any]:
        with self.lock:
            self.calls["write"] += 1
            self._check(asked["Key"], asked)
            key = key_of(asked["Key"])
            self.rows[key] = changed(self.rows.get(key, dict(asked["Key"])), asked)
            return {"Attributes": dict(self.rows[key])}

    def delete_item(self, **asked: Any) -> dict[str, Any]:
        with self.lock:
            self.calls["write"] += 1
            self.rows.pop(key_of(asked["Key"]), None)
            return {}

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        with self.lock:
            writes = [next(iter(each.items())) for each in asked["TransactItems"]]
            met = [self._is_met(what.get("Key") or what["Item"], what) for _, what in writes]
            if not all(met):
                codes = [{"Code": "None" if fine else "ConditionalCheckFailed"} for fine in met]
                raise refused("TransactionCanceledException", CancellationReasons=codes)
            for verb, what in writes:
                {"Put": self.put_item, "Update": self.update_item}[verb](**what)
            return {}

    def query(self, **asked: Any) -> dict[str, Any]:
        with self.lock:
            self.calls["query"] += 1
            values = {name: v["S"] for name, v in asked["ExpressionAttributeValues"].items()}
            keys = sorted(key for key in self.rows if key[0] == values[":pk"])
            condition = asked["KeyConditionExpression"]
            found = [dict(self.rows[key]) for key in keys if is_between(key[1], condition, values)]
            found = found if asked.get("ScanIndexForward", True) else found[::-1]
            self.calls["rows"] += len(found[: asked.get("Limit")])
            return {"Items": found[: asked.get("Limit")]}

    def _check(self, key: Item, asked: Mapping[str, Any]) -> None:
        if not self._is_met(key, asked):
            raise refused("ConditionalCheckFailedException")

    def _is_met(self, key: Item, asked: Mapping[str, Any]) -> bool:
        condition = asked.get("ConditionExpression", "")
        row = self.rows.get(key_of(key), {})
        return not condition or any(holds(part, row, asked) for part in condition.split(" OR "))

    def shown(self, prefix: str) -> dict[Key, dict[str, int]]:
        """The figures of rows whose partition begins so."""
        return {
            key: {name: int(v["N"]) for name, v in row.items() if "N" in v and name != "n"}
            for key, row in self.rows.items()
            if key[0].startswith(prefix)
        }


@dataclass
class MemoryFiles:
    files: dict[str, bytes] = field(default_factory=dict)

    def read(self, name: str) -> Iterator[bytes]:
        yield self.files[name]

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        self.files[name] = b"".join(pieces)


class Inline:
    """Threads that do it at once, in order."""

    def map(self, act: Callable[..., Any], *many: Iterable[Any]) -> list[Any]:
        return [act(*each) for each in zip(*many, strict=True)]


def key_of(key: Mapping[str, Any]) -> Key:
    return key["PK"]["S"], key["SK"]["S"]


def is_between(sort: str, condition: str, values: Mapping[str, str]) -> bool:
    if "BETWEEN" in condition:
        return values[":first"] <= sort <= values[":last"]
    return sort > values[":after"] if ":after" in values else True


def changed(row: Item, asked: Mapping[str, Any]) -> Item:
    new, values = dict(row), asked["ExpressionAttributeValues"]
    said = asked["UpdateExpression"]
    adds, _, sets = said.removeprefix("ADD ").partition("SET ")
    for name, if_not, default, value in SETS.findall(sets):
        kept = if_not and named(if_not, asked) in row
        if not kept:
            new[named(name, asked)] = values[value or default]
    for name, value in ADDS.findall(adds):
        before = int(row.get(named(name, asked), {"N": "0"})["N"])
        new[named(name, asked)] = {"N": str(before + int(values[value]["N"]))}
    return new


def holds(part: str, row: Item, asked: Mapping[str, Any]) -> bool:
    if found := EXISTS.fullmatch(part):
        return (named(found[2], asked) in row) is not bool(found[1])
    name, sign, value = COMPARES.fullmatch(part).groups()  # type: ignore[union-attr]
    if (mine := row.get(named(name, asked))) is None:
        return False
    left, right = int(mine["N"]), int(asked["ExpressionAttributeValues"][value]["N"])
    return {"=": left == right, "<": left < right, ">": left > right}[sign]


def named(name: str, asked: Mapping[str, Any]) -> str:
    return str(asked.get("ExpressionAttributeNames", {}).get(name, name))


def refused(code: str, **said: Sequence[Any]) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}, **said}, "DynamoDB")  # type: ignore[typeddict-item]
