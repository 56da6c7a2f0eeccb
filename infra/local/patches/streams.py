"""A function reads a table's stream as on AWS: in order, none lost, and no bad record for ever.

Unpatched: `batchItemFailures` is ignored, so what follows a failed record in its batch is lost;
a batch that always fails is tried again for ever; nothing is split, given up or sent to the
OnFailure destination; one slow reader stops every other event source.

Rules (Lambda Developer Guide, "Using DynamoDB as an event source"): the lowest sequence number
reported is where the next attempt starts; splitting a batch is not counted as a retry; a batch out
of retries or of age is described to the destination, and skipped.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import _request_account_id, _request_region
from ministack.services import dynamodb, lambda_svc

from infra.local.patches.source import replace, require

logger = logging.getLogger("streams")
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
KEPT_BEHIND = 1000  # records that all readers have passed

Record = dict[str, Any]
Placed = tuple[int, Record]  # a record and its place in the stream


def apply() -> None:
    require("_dispatch_esm_batch", lambda_svc._dispatch_esm_batch, "b91ab76fad0b")
    require("_failure_record", lambda_svc._send_ddb_stream_failure_record, "0efd5f5ffe2d")
    replace(lambda_svc, "_poll_dynamodb_streams", "2b2460e933a9", poll)


def poll() -> bool:
    """Start a delivery for each reader that has records before it and none in hand."""
    started = [offer(*found) for found in lambda_svc._iter_all_esms()]
    return any(started)


def offer(account: str, region: str, mapping: dict[str, Any]) -> bool:
    with scope(account, region):
        reader = Reader(account, region, mapping)
        if not reader.is_free() or not reader.waiting():
            return False
        lambda_svc._dispatch_esm_batch(mapping["UUID"], reader.deliver_scoped)
        return True


@contextmanager
def scope(account: str, region: str) -> Iterator[None]:
    account_token, region_token = _request_account_id.set(account), _request_region.set(region)
    try:
        yield
    finally:
        _request_account_id.reset(account_token)
        _request_region.reset(region_token)


@dataclass(frozen=True)
class Reader:
    """One event source mapping on the one shard of one table's stream."""

    account: str
    region: str
    mapping: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.mapping["UUID"])

    @property
    def table(self) -> str:
        return str(self.mapping["EventSourceArn"].split("/")[1])

    def is_free(self) -> bool:
        return self.is_open() and not lambda_svc._esm_inflight.get(self.name)

    def is_open(self) -> bool:
        source = str(self.mapping.get("EventSourceArn", ""))
        if ":dynamodb:" not in source or self.name not in lambda_svc._esms:
            return False
        table = dynamodb._tables.get(self.table) or {}
        enabled = self.mapping.get("Enabled", True)
        return bool(enabled and table.get("LatestStreamArn") == source and self.function())

    def function(self) -> Any:
        return lambda_svc._get_func_record_for_qualifier(
            self.mapping["FunctionName"], self.mapping.get("Qualifier")
        )[0]

    def position(self) -> int:
        positions, oldest = lambda_svc._dynamodb_stream_positions, self.oldest()
        with lambda_svc._dynamodb_stream_positions_lock:
            if self.name not in positions:
                latest = self.mapping.get("StartingPosition") != "TRIM_HORIZON"
                newest = dynamodb.stream_end_position(self.table)
                positions[self.name] = newest if latest else oldest
            return max(int(positions[self.name]), oldest)

    def oldest(self) -> int:
        return int(dynamodb.stream_start_position(self.table))

    def waiting(self) -> list[Placed]:
        start = self.position()
        size = self.mapping.get("BatchSize", 100)
        records = dynamodb.stream_records_since(self.table, start, size)
        return list(enumerate(records, start))

    def deliver_scoped(self) -> None:
        with scope(self.account, self.region):
            self.deliver()

    def deliver(self) -> None:
        batch = self.waiting()
        if self.work_off([placed for placed in batch if self.wants(placed[1])]):
            self.move_to(batch[-1][0] + 1)
            trim(self.table)

    def wants(self, record: Record) -> bool:
        return bool(lambda_svc._apply_filter_criteria([record], self.mapping))

    def work_off(self, batch: list[Placed]) -> bool:
        """True once every record was handled or given up; False when the reader was closed."""
        attempts = 0
        while batch and self.is_open():
            result, done = self.attempt(batch)
            if done:
                self.move_to(batch[done - 1][0] + 1)
                batch, attempts = batch[done:], 0
                continue
            if self.is_splittable(batch):
                return self.split(batch)
            if why := self.gives_up(attempts, batch):
                self.give_up(batch, result, why)
                return True
            time.sleep(min(FIRST_PAUSE * 2**attempts, LONGEST_PAUSE))
            attempts += 0 if result.get("throttle") else 1
        return not batch

    def split(self, batch: list[Placed]) -> bool:
        middle = len(batch) // 2
        return self.work_off(batch[:middle]) and self.work_off(batch[middle:])

    def attempt(self, batch: list[Placed]) -> tuple[dict[str, Any], int]:
        """What the function answered, and how many records from the first it has handled."""
        event = {"Records": [record for _, record in batch]}
        result = lambda_svc._execute_function(self.function(), event)
        if result.get("error"):
            self.mapping["LastProcessingResult"] = "FAILED"
            return result, 0
        self.mapping["LastProcessingResult"] = f"OK - {len(batch)} records"
        return result, self.handled(batch, result.get("body"))

    def handled(self, batch: list[Placed], body: Any) -> int:
        if "ReportBatchItemFailures" not in self.mapping.get("FunctionResponseTypes", []):
            return len(batch)
        failures = (body or {}).get("batchItemFailures") if isinstance(body, dict) else body
        if not failures:
            return len(batch)
        numbers = [record["dynamodb"]["SequenceNumber"] for _, record in batch]
        failed = [item.get("itemIdentifier") for item in failures]
        known = [numbers.index(number) for number in failed if number in numbers]
        return min(known) if len(known) == len(failed) else 0

    def gives_up(self, attempts: int, batch: list[Placed]) -> str | None:
        retries = int(self.mapping.get("MaximumRetryAttempts", -1))
        if 0 <= retries <= attempts:
            return "RetryAttemptsExhausted"
        longest = int(self.mapping.get("MaximumRecordAgeInSeconds", -1))
        born = batch[0][1]["dynamodb"]["ApproximateCreationDateTime"]
        return "MaxRecordAgeExceeded" if 0 < longest < time.time() - born else None

    def is_splittable(self, batch: list[Placed]) -> bool:
        return bool(self.mapping.get("BisectBatchOnFunctionError")) and len(batch) > 1

    def give_up(self, batch: list[Placed], result: dict[str, Any], why: str) -> None:
        records, source = [record for _, record in batch], self.mapping["EventSourceArn"]
        logger.error("%s: %d records given up (%s): %s", source, len(batch), why, result["body"])
        lambda_svc._send_ddb_stream_failure_record(
            self.mapping, self.function(), records, source, result, why
        )

    def move_to(self, position: int) -> None:
        with lambda_svc._dynamodb_stream_positions_lock:
            lambda_svc._dynamodb_stream_positions[self.name] = position


def trim(table: str) -> None:
    """Forget what every reader of the stream has passed long ago."""
    source = (dynamodb._tables.get(table) or {}).get("LatestStreamArn")
    readers = [m for _, _, m in lambda_svc._iter_all_esms() if m.get("EventSourceArn") == source]
    passed = min(lambda_svc._dynamodb_stream_positions.get(m["UUID"], 0) for m in readers)
    with dynamodb._lock:
        surplus = passed - dynamodb._trimmed_count(table) - KEPT_BEHIND
        if surplus > KEPT_BEHIND:
            del dynamodb._stream_records[table][:surplus]
            dynamodb._stream_trimmed[table] = dynamodb._trimmed_count(table) + surplus
