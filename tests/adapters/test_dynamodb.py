import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from oms.adapters.dynamodb import (
    ATTEMPTS,
    PACKED_AS_TEXT,
    DynamoDB,
    Item,
    Write,
    b,
    batch_get,
    full_jitter,
    key,
    n,
    number,
    pack,
    query,
    s,
    text,
    transact,
    unpack,
)
from oms.domain.errors import Contended
from tests.tables import create_table

Answer = dict[str, Any] | Exception


class Script:
    """A client that gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        return self._answer

    def _answer(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Taken(Exception):
    def __init__(self, row: Item | None) -> None:
        super().__init__()
        self.row = row


class Short(Exception):
    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names

    def merged(self, other: "Short") -> "Short":
        return Short(*self.names, *other.names)


def put(table: str, name: str, refusal: Callable[[Item | None], Exception] = Taken) -> Write:
    condition = "attribute_not_exists(PK)"
    row = {**key(name, "ROW"), "by": s(str(uuid4()))}
    return Write(
        {"Put": {"TableName": table, "Item": row, "ConditionExpression": condition}}, refusal
    )


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(answer, "TransactWriteItems")  # type: ignore[arg-type]


def failed(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "TransactWriteItems")


def no_pause(seconds: float) -> None:
    assert 0 <= seconds <= 1


ONE = [put("t", "a")]


@pytest.fixture(scope="module")
def table(dynamodb: DynamoDB) -> str:
    return create_table(dynamodb, "customers", f"dynamodb-{uuid4()}")


@pytest.mark.cloud
def test_all_writes_are_committed_together(dynamodb: DynamoDB, table: str) -> None:
    transact(dynamodb, [put(table, "a1"), put(table, "a2")])

    keys = [key(name, "ROW") for name in ("a1", "a2", "a3")]
    found = {text(item, "PK") for item in batch_get(dynamodb, table, keys)}
    assert found == {"a1", "a2"}


@pytest.mark.cloud
def test_a_refused_condition_commits_nothing_and_shows_the_row_in_the_way(
    dynamodb: DynamoDB, table: str
) -> None:
    transact(dynamodb, [put(table, "b1")])

    with pytest.raises(Taken) as refused:
        transact(dynamodb, [put(table, "b2"), put(table, "b1")])

    assert refused.value.row is not None
    assert text(refused.value.row, "PK") == "b1"
    assert list(batch_get(dynamodb, table, [key("b2", "ROW")])) == []


@pytest.mark.cloud
def test_refusals_of_one_class_are_told_together_and_the_first_class_wins(
    dynamodb: DynamoDB, table: str
) -> None:
    transact(dynamodb, [put(table, name) for name in ("c1", "c2", "c3")])
    short = [put(table, name, lambda _, name=name: Short(name)) for name in ("c1", "c2")]  # type: ignore[misc]

    with pytest.raises(Short) as refused:
        transact(dynamodb, [*short, put(table, "c3")])
    assert refused.value.names == ("c1", "c2")

    with pytest.raises(Taken):
        transact(dynamodb, [put(table, "c3"), *short])


@pytest.mark.cloud
def test_a_commit_whose_answer_was_lost_counts_once(dynamodb: DynamoDB, table: str) -> None:
    lost = LosingAnswers(dynamodb, answers=2)

    transact(lost, [put(table, "d1")], no_pause)

    assert lost.calls == 3
    assert len(list(batch_get(dynamodb, table, [key("d1", "ROW")]))) == 1


class LosingAnswers:
    """Requests arrive, the first answers do not."""

    def __init__(self, client: DynamoDB, answers: int) -> None:
        self._client, self._left, self.calls = client, answers, 0

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        self.calls += 1
        answer = self._client.transact_write_items(**request)
        if self.calls <= self._left:
            raise ReadTimeoutError(endpoint_url="http://dynamodb")
        return answer


@pytest.mark.parametrize(
    "passing",
    [
        cancelled("TransactionConflict"),
        cancelled("None", "TransactionConflict", "ThrottlingError"),
        cancelled("ProvisionedThroughputExceeded"),
        failed("ThrottlingException"),
        failed("TransactionInProgressException"),
        failed("InternalServerError"),
        ReadTimeoutError(endpoint_url="http://dynamodb"),
        EndpointConnectionError(endpoint_url="http://dynamodb"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_what_passes_is_tried_again_under_the_same_token(passing: Exception) -> None:
    client = Script(passing, passing, {})

    transact(client, ONE, no_pause)

    assert len({request["ClientRequestToken"] for request in client.requests}) == 1
    assert len(client.requests) == 3


def test_a_row_that_stays_contended_is_given_up_in_the_end() -> None:
    client = Script(cancelled("TransactionConflict"))

    with pytest.raises(Contended):
        transact(client, ONE, no_pause)

    assert len(client.requests) == ATTEMPTS


def test_a_slow_table_is_given_up_before_the_function_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter(range(0, 1_000, 4))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    client = Script(ReadTimeoutError(endpoint_url="http://dynamodb"))

    with pytest.raises(Contended):
        transact(client, ONE, no_pause)

    assert len(client.requests) == 2


def test_a_refusal_wins_over_a_conflict() -> None:
    client = Script(cancelled("TransactionConflict", "ConditionalCheckFailed"))

    with pytest.raises(Taken):
        transact(client, [put("t", "a", lambda _: AssertionError()), put("t", "b")], no_pause)


@pytest.mark.parametrize("error", [failed("AccessDeniedException"), cancelled("ValidationError")])
def test_what_cannot_pass_is_not_tried_again(error: ClientError) -> None:
    client = Script(error)

    with pytest.raises(ClientError):
        transact(client, ONE, no_pause)

    assert len(client.requests) == 1


def test_too_many_writes_are_the_callers_duty() -> None:
    with pytest.raises(ValueError, match="numbered batches"):
        transact(Script({}), [put("t", str(i)) for i in range(101)])


def test_too_many_bytes_are_the_callers_duty() -> None:
    row = {**key("a", "ROW"), "body": b(bytes(400_000))}

    with pytest.raises(ValueError, match="rows small"):
        transact(Script({}), [Write({"Put": {"TableName": "t", "Item": row}})] * 11)


def test_pauses_double_and_stay_under_their_bound() -> None:
    assert all(full_jitter(0) <= 0.025 for _ in range(50))
    assert all(full_jitter(30) <= 1.0 for _ in range(50))
    assert len({full_jitter(5) for _ in range(50)}) > 1


def test_a_batch_asks_again_for_the_keys_that_were_held_back() -> None:
    keys = [key(str(i), "ROW") for i in range(150)]
    held_back = {"t": {"Keys": keys[90:100]}}
    client = Script(
        {"Responses": {"t": keys[:90]}, "UnprocessedKeys": held_back},
        {"Responses": {"t": keys[90:]}},
    )

    found = list(batch_get(client, "t", keys, no_pause))

    assert found == keys
    assert [len(r["RequestItems"]["t"]["Keys"]) for r in client.requests] == [100, 60]


def test_a_batch_that_gets_nothing_is_given_up_in_the_end() -> None:
    keys = [key("a", "ROW")]
    client = Script({"Responses": {}, "UnprocessedKeys": {"t": {"Keys": keys}}})

    with pytest.raises(Contended):
        list(batch_get(client, "t", keys, no_pause))


def test_a_query_follows_its_pages() -> None:
    first, second = key("a", "1"), key("a", "2")
    client = Script({"Items": [first], "LastEvaluatedKey": first}, {"Items": [second]})

    assert list(query(client, TableName="t")) == [first, second]
    assert client.requests[1]["ExclusiveStartKey"] == first


@pytest.mark.parametrize(
    ("length", "type_"), [(0, "S"), (PACKED_AS_TEXT, "S"), (PACKED_AS_TEXT + 1, "B"), (90_000, "B")]
)
def test_json_is_text_while_it_is_small_and_deflated_above(length: int, type_: str) -> None:
    value = b"x" * length

    packed = pack(value)

    assert list(packed) == [type_]
    assert unpack(packed) == value


def test_json_that_is_not_ascii_is_measured_in_bytes() -> None:
    assert list(pack("é".encode() * (PACKED_AS_TEXT // 2 + 1))) == ["B"]


def test_attributes_are_read_as_they_were_written() -> None:
    item = {**key("a", "ROW"), "units": n(-3)}

    assert (text(item, "SK"), number(item, "units")) == ("ROW", -3)
