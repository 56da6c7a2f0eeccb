"""What an embedded cloud did, and what AWS would have asked for it.

The counts are the emulator's own, in the units that AWS bills. Mails are left out: they cost the
same whoever sends them.
"""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from infra.local.cloud import Cloud
from infra.local.prices import EXPRESS_GB, EXPRESS_STEP, usd

METER = "/_baton/meter"
QUIET, LONGEST = 0.25, 10.0  # seconds
Counts = Mapping[str, float]

PRICED = {  # what the meter counts, and what its price is called
    "http.requests": "http_request",
    "lambda.calls": "lambda_request",
    "lambda.gb_seconds": "lambda_gb_second",
    "transitions": "transition",
    "states.StartSyncExecution": "express_request",
    "dynamodb.wru": "write_unit",
    "dynamodb.rru": "read_unit",
    "events.entries": "event",
    "kms.requests": "kms_request",
    "secretsmanager.requests": "secret_request",
    "sqs.requests": "sqs_request",
}
BY_REQUEST = ("kms", "secretsmanager", "sqs")


class Meter:
    """Reads the meter again and again; each reading covers what came since the one before."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.last = self.quiet()

    def since(self) -> Counts:
        """What was done since the last reading, once nothing moves any more."""
        before, self.last = self.last, self.quiet()
        return plus(self.last, before, -1)

    def quiet(self) -> Counts:
        deadline = time.monotonic() + LONGEST
        last, now = None, self.now()
        while now != last and time.monotonic() < deadline:
            time.sleep(QUIET)
            last, now = now, self.now()
        return now

    def now(self) -> Counts:
        with urllib.request.urlopen(f"{self.cloud.url}{METER}", timeout=10) as answer:
            counts = json.load(answer)
        return {name: amount for name, amount in counts.items() if name != "cpu_seconds"}


def plus(counts: Counts, more: Counts, times: float = 1) -> Counts:
    """`times` of the second on top of the first; -1 takes it off."""
    names = counts.keys() | more.keys()
    return {name: counts.get(name, 0) + times * more.get(name, 0) for name in names}


class Bill(NamedTuple):
    """`writes` and `reads` are DynamoDB's request units, `functions` calls of Lambda."""

    requests: float
    functions: float
    transitions: float
    writes: float
    reads: float
    events: float
    dollars: float


def bill(counts: Counts) -> Bill:
    of = Counter(counts)
    return Bill(
        requests=of["http.requests"],
        functions=of["lambda.calls"],
        transitions=transitions(counts),
        writes=of["dynamodb.wru"],
        reads=of["dynamodb.rru"],
        events=of["events.entries"],
        dollars=dollars(counts),
    )


def dollars(counts: Counts) -> float:
    of = Counter({**counts, **requests_by_service(counts), "transitions": transitions(counts)})
    steps = of["states.StartSyncExecution"] * EXPRESS_STEP * EXPRESS_GB
    return (
        sum(usd(price, of[name]) for name, price in PRICED.items())
        + usd("express_gb_second", steps)
        + usd("log_gb", of["lambda.log_bytes"] / 1e9)
    )


def transitions(counts: Counts) -> float:
    """As AWS bills: into each state, and out of the last one to the end."""
    return counts.get("states.transitions.standard", 0) + counts.get("states.StartExecution", 0)


def requests_by_service(counts: Counts) -> dict[str, float]:
    return {
        f"{service}.requests": sum(
            amount for name, amount in counts.items() if name.startswith(f"{service}.")
        )
        for service in BY_REQUEST
    }
