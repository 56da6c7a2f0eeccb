"""DynamoDB's low-level client, its attribute values, and transactions that name every refusal."""

import random
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, Protocol, Self, TypeAlias, cast, runtime_checkable

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError

from oms.adapters import aws
from oms.domain.errors import Contended

AttributeValue: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, AttributeValue]
Refusal: TypeAlias = Callable[[Item | None], Exception]
Pause: TypeAlias = Callable[[float], None]
Heard: TypeAlias = Callable[[str], None]

MAX_TRANSACTION_ITEMS = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_BATCH_GET = 100
PACKED_AS_TEXT = 700
ATTEMPTS = 10
PATIENCE = 6.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.025, 1.0

CONDITION_FAILED = "ConditionalCheckFailed"
COMMITTED, CONFLICT = "Committed", "TransactionConflict"
WORTH_ANOTHER_TRY = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "ThrottlingError",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "500",
        "502",
        "503",
        "504",
    }
)


class DynamoDB(Protocol):
    """The operations that we use; botocore's client has them, and so has a stub."""

    def get_item(self, **request: Any) -> dict[str, Any]: ...
    def put_item(self, **request: Any) -> dict[str, Any]: ...
    def update_item(self, **request: Any) -> dict[str, Any]: ...
    def delete_item(self, **request: Any) -> dict[str, Any]: ...
    def query(self, **request: Any) -> dict[str, Any]: ...
    def scan(self, **request: Any) -> dict[str, Any]: ...
    def batch_get_item(self, **request: Any) -> dict[str, Any]: ...
    def transact_write_items(self, **request: Any) -> dict[str, Any]: ...


@runtime_checkable
class Mergeable(Protocol):
    """A refusal that can carry what other refusals of its class have to say."""

    def merged(self, other: Self) -> Self: ...


def unexpected(old: Item | None) -> Exception:
    """The refusal of a write that has no condition."""
    return AssertionError(f"a write without a condition was refused; found {old!r}")


@dataclass(frozen=True)
class Write:
    """One TransactItem, and the error that its failed condition means, given the row as it is.

    `heard` is told `COMMITTED`, and each `CONFLICT` that another writer of this very row was the
    cause of; what it raises then ends the tries.
    """

    item: Mapping[str, Mapping[str, Any]]
    refusal: Refusal = unexpected
    heard: Heard | None = None


@cache
def client() -> DynamoDB:
    """One client per environment."""
    return cast(DynamoDB, aws.client("dynamodb", read_timeout=5, attempts=2))


def s(text: str) -> AttributeValue:
    return {"S": text}


def n(number: int) -> AttributeValue:
    return {"N": str(number)}


def b(octets: bytes) -> AttributeValue:
    return {"B": octets}


def flag(value: bool) -> AttributeValue:
    return {"BOOL": value}


def key(partition: str, sort: str) -> Item:
    return {"PK": s(partition), "SK": s(sort)}


def text(item: Item, name: str) -> str:
    return cast(str, item[name]["S"])


def number(item: Item, name: str) -> int:
    return int(item[name]["N"])


def pack(value: bytes) -> AttributeValue:
    """JSON as readable text while it is small, deflated above: a row of <= 1 KB costs one unit."""
    return s(value.decode()) if len(value) <= PACKED_AS_TEXT else b(zlib.compress(value, 9))


def deflate(value: bytes) -> AttributeValue:
    """As `pack`, for what stands beside other things that a row of 1 KB must have room for."""
    return b(zlib.compress(value, 9))


def unpack(value: AttributeValue) -> bytes:
    return cast(str, value["S"]).encode() if "S" in value else zlib.decompress(value["B"])


def transact(
    client: DynamoDB,
    writes: Sequence[Write],
    pause: Pause = time.sleep,
    clock: Callable[[], float] | None = None,
) -> None:
    """Commit all writes or none.

    Refused conditions raise the first write's refusal, so the order of writes is the order of
    precedence; refusals of that class merge. Conflicts, throttling and lost answers are tried
    again under one request token, which makes a commit whose answer was lost count once.
    """
    clock = clock or time.monotonic
    request, deadline = _request(writes), clock() + PATIENCE
    for attempt in range(ATTEMPTS):
        if _is_committed(client, request, writes):
            return _tell(writes, COMMITTED)
        if clock() > deadline:
            break
        pause(full_jitter(attempt))
    raise Contended(f"a transaction of {len(writes)} writes did not get through")


def full_jitter(attempt: int) -> float:
    """Seconds to wait after the attempt (0, 1, …): anything up to a doubling bound."""
    return random.uniform(0, min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**attempt))


def get_row(client: DynamoDB, table: str, where: Item, *, consistent: bool = True) -> Item | None:
    """The row of this key as it is now, or a moment ago."""
    answer = client.get_item(TableName=table, Key=where, ConsistentRead=consistent)
    return cast(Item | None, answer.get("Item"))


def query(client: DynamoDB, **request: Any) -> Iterator[Item]:
    """Every row that the query finds, page after page, in bounded memory."""
    return _pages(client.query, request)


def scan(client: DynamoDB, **request: Any) -> Iterator[Item]:
    return _pages(client.scan, request)


def batch_get(
    client: DynamoDB, table: str, keys: Iterable[Item], pause: Pause = time.sleep, **how: Any
) -> Iterator[Item]:
    """The rows that exist among the distinct keys, in no order; keys held back are asked again."""
    wanted = list(keys)
    attempt = 0
    while wanted:
        asked, wanted = wanted[:MAX_BATCH_GET], wanted[MAX_BATCH_GET:]
        answer = client.batch_get_item(RequestItems={table: {"Keys": asked, **how}})
        yield from answer["Responses"].get(table, ())
        held_back = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        attempt = _next_attempt(attempt, held_back, len(asked), pause)
        wanted = held_back + wanted


def _next_attempt(attempt: int, held_back: Sequence[Item], asked: int, pause: Pause) -> int:
    if not held_back:
        return 0
    if len(held_back) == asked and attempt + 1 >= ATTEMPTS:
        raise Contended(f"{asked} rows could not be read")
    pause(full_jitter(attempt))
    return attempt + 1


def _pages(ask: Callable[..., dict[str, Any]], request: dict[str, Any]) -> Iterator[Item]:
    while True:
        answer = ask(**request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request = request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _request(writes: Sequence[Write]) -> dict[str, Any]:
    if len(writes) > MAX_TRANSACTION_ITEMS:
        raise ValueError(
            f"{len(writes)} writes exceed a transaction's {MAX_TRANSACTION_ITEMS}: "
            "the caller takes a large change in numbered batches"
        )
    items = [_telling_what_it_found(write.item) for write in writes]
    if (size := sum(_size(item) for item in items)) > MAX_TRANSACTION_BYTES:
        raise ValueError(
            f"{size} bytes exceed a transaction's {MAX_TRANSACTION_BYTES}: "
            "the caller keeps its rows small or stores the document once and points to it"
        )
    return {"TransactItems": items, "ClientRequestToken": str(uuid.uuid4())}


def _is_committed(client: DynamoDB, request: dict[str, Any], writes: Sequence[Write]) -> bool:
    try:
        client.transact_write_items(**request)
    except ClientError as error:
        _raise_refusal(error, writes)
        if not _is_worth_another_try(error):
            raise
        _tell(_in_conflict(error, writes), CONFLICT)
        return False
    except (HTTPClientError, UnreachableError):
        return False  # the answer is lost, perhaps not the commit: the request token will tell
    return True


def _telling_what_it_found(item: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        verb: {**what, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        for verb, what in item.items()
    }


def _size(value: object) -> int:
    if isinstance(value, Mapping):
        return sum(_size(name) + _size(member) for name, member in value.items())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return len(value.encode())
    return sum(map(_size, value)) if isinstance(value, (list, tuple, set)) else 1


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], error.response.get("CancellationReasons") or [])


def _raise_refusal(error: ClientError, writes: Sequence[Write]) -> None:
    refusals = [
        write.refusal(reason.get("Item") or None)
        for write, reason in zip(writes, _reasons(error), strict=False)
        if reason.get("Code") == CONDITION_FAILED
    ]
    if refusals:
        raise reduce(_merged, refusals) from error


def _in_conflict(error: ClientError, writes: Sequence[Write]) -> list[Write]:
    pairs = zip(writes, _reasons(error), strict=False)
    return [write for write, reason in pairs if reason.get("Code") == CONFLICT]


def _tell(writes: Iterable[Write], outcome: str) -> None:
    for write in writes:
        if write.heard is not None:
            write.heard(outcome)


def _merged(first: Exception, other: Exception) -> Exception:
    if isinstance(first, Mergeable) and type(first) is type(other):
        return cast(Exception, first.merged(other))
    return first


def _is_worth_another_try(error: ClientError) -> bool:
    codes = {reason.get("Code", "None") for reason in _reasons(error)} - {"None"}
    return (codes or {error.response["Error"]["Code"]}) <= WORTH_ANOTHER_TRY
