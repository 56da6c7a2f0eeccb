"""A run of a hundred orders, counted: what the rows of the table are made of."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from infra.local.bench.assembly import Assembly
from infra.local.bench.processes import cpu_seconds
from infra.local.bench.walking import CALLS, Shop
from infra.local.cloud import Cloud, running
from infra.local.meter import Meter, Tally, metered
from infra.local.prices import EXPRESS_GB, EXPRESS_STEP, usd

SCHEDULED = frozenset(
    {
        "CollectEvents",
        "FollowCustomers",
        "CountInventory",
        "KeepBooks",
        "LearnProfiles",
        "LearnTransits",
        "MailReports",
        "MeasureCosts",
        "MeasureOperations",
        "ProjectEvents",
        "ReclaimLeases",
        "ReconcileOrders",
        "RunAgenda",
        "TendPrivacy",
        "SendDeliveries",
        "SendWaiting",
        "WriteLake",
    }
)
MAILS = "NotifyCustomer"
PLACING = "CaptureApi"
EXPRESS = "startSyncExecution"
QUIET, LONGEST = 7.0, 60.0  # batches of what was promised wait five seconds
TOGETHER = 10  # messages that are received at once, and deleted
Step = Callable[[int], None]


class Express(NamedTuple):
    executions: int
    gb_seconds: float


@dataclass(frozen=True)
class Run:
    """Sums over all orders of the run, scheduled work left out."""

    orders: int
    tally: Tally
    counts: Mapping[str, float]
    transitions: int
    express: Express
    cpu: float
    queued: int
    access_bytes: int

    def each(self, amount: float) -> float:
        return amount / self.orders

    def calls(self, service: str, function: str = "") -> int:
        return sum(
            count
            for call, count in self.tally.calls.items()
            if call.service == service and function in ("", call.function) and counts(call.function)
        )

    @property
    def wru(self) -> float:
        return float(sum(n for by, n in self.tally.wru.items() if counts(by.function)))

    @property
    def rru(self) -> float:
        return float(sum(n for by, n in self.tally.rru.items() if counts(by.function)))

    @property
    def invocations(self) -> dict[str, float]:
        start = "lambda.calls."
        found = {k.rpartition("-")[2]: n for k, n in self.counts.items() if k.startswith(start)}
        return {name: count for name, count in found.items() if counts(name)}

    @property
    def log_bytes(self) -> float:
        return self.counts["lambda.log_bytes"] + self.access_bytes

    @property
    def round_trips(self) -> float:
        """Of the function that places, to its tables: one after the other, as it is one thread."""
        return self.calls("dynamodb", PLACING) / self.orders

    @property
    def dollars(self) -> dict[str, float]:
        """By what is paid for."""
        return {
            "HTTP requests": usd("http_request", self.counts["http.requests"]),
            "Lambda requests": usd("lambda_request", sum(self.invocations.values())),
            "Lambda time": usd("lambda_gb_second", self.counts["lambda.gb_seconds"]),
            "transitions": usd("transition", self.transitions),
            "Express": usd("express_request", self.express.executions)
            + usd("express_gb_second", self.express.gb_seconds),
            "writes": usd("write_unit", self.wru),
            "reads": usd("read_unit", self.rru),
            "events": usd("event", self.tally.event_units),
            "queues": usd("sqs_request", self.queue_requests),
            "logs": usd("log_gb", self.log_bytes / 1e9),
            "keys": usd("kms_request", self.calls("kms")),
            "secrets": usd("secret_request", self.calls("secretsmanager")),
        }

    @property
    def queue_requests(self) -> float:
        """Each message is sent; each batch is received and deleted."""
        return self.queued * (1 + 2 / TOGETHER)


def counts(function: str) -> bool:
    """What runs by the clock is part of the idle costs; mails cost everybody the same."""
    return function not in SCHEDULED | {MAILS}


def measure(shop: Shop, assembly: Assembly, orders: int, step: Step) -> Run:
    with metered(shop.cloud) as meter:
        walk_all(shop, 3, lambda _: None)  # the functions start anew, with the meter before them
        await_quiet(shop.cloud)
        meter.reset()
        shop.cloud.meter(reset=True)
        before = cpu_of(shop.cloud)
        placed = walk_all(shop, orders, step)
        await_quiet(shop.cloud)
        cpu = cpu_of(shop.cloud) - before
        return run_of(shop, assembly, meter, placed, cpu)


def walk_all(shop: Shop, count: int, step: Step) -> list[str]:
    placed: list[str] = []
    for number in range(1, count + 1):
        order = shop.place()
        placed.append(order["order_id"])
        shop.walk(order)
        step(number)
    return placed


def run_of(shop: Shop, assembly: Assembly, meter: Meter, placed: list[str], cpu: float) -> Run:
    counts = shop.cloud.meter()
    histories = [history(shop, order_id) for order_id in placed]
    synchronous = express_states(shop)
    executions = [run for events in histories for run in express_runs(events, synchronous)]
    events = meter.tally.events.items()
    return Run(
        orders=len(placed),
        tally=meter.tally,
        counts=counts,
        transitions=sum(map(transitions, histories)),
        express=Express(len(executions), sum(map(express_gb_seconds, executions))),
        cpu=cpu,
        queued=sum(count * assembly.queued(name) for name, count in events),
        access_bytes=int(counts["http.requests"]) * assembly.access_line_bytes,
    )


def history(shop: Shop, order_id: str) -> list[Any]:
    pages = shop.cloud.client("stepfunctions").get_paginator("get_execution_history")
    found = pages.paginate(executionArn=shop.execution(order_id))
    return [event for page in found for event in page["events"]]


def transitions(events: list[Any]) -> int:
    """As AWS bills: into each state, and out of the last one to the end."""
    return 1 + sum(str(event["type"]).endswith("StateEntered") for event in events)


def express_states(shop: Shop) -> frozenset[str]:
    machine = shop.cloud.client("stepfunctions").describe_state_machine(
        stateMachineArn=shop.outputs["OrderWorkflow"]
    )
    states = json.loads(machine["definition"])["States"].items()
    return frozenset(name for name, state in states if EXPRESS in state.get("Resource", ""))


def express_runs(events: list[Any], synchronous: frozenset[str]) -> Iterator[float]:
    """Seconds of each child, from entering its state to leaving it."""
    entered: dict[str, float] = {}
    for event in events:
        at = event["timestamp"].timestamp()
        name = event.get("stateEnteredEventDetails", {}).get("name")
        if name in synchronous:
            entered[name] = at
        name = event.get("stateExitedEventDetails", {}).get("name")
        if name in entered:
            yield at - entered.pop(name)


def express_gb_seconds(seconds: float) -> float:
    steps = -(-seconds // EXPRESS_STEP)
    return float(max(1, steps) * EXPRESS_STEP * EXPRESS_GB)


def cpu_of(cloud: Cloud) -> float:
    return cpu_seconds(running(cloud.home)["pid"])


def await_quiet(cloud: Cloud) -> None:
    """Until no function but the scheduled one was called for a while."""
    deadline, since, last = time.monotonic() + LONGEST, time.monotonic(), -1.0
    while time.monotonic() < deadline and time.monotonic() - since < QUIET:
        calls = calls_so_far(cloud.meter())
        if calls != last:
            last, since = calls, time.monotonic()
        time.sleep(0.2)


def calls_so_far(counted: Mapping[str, float]) -> float:
    by_clock = (n for name, n in counted.items() if name.rpartition("-")[2] in SCHEDULED)
    return counted.get("lambda.calls", 0) - sum(by_clock)


def sync_cpu(shop: Shop, orders: int) -> float:
    """CPU seconds to place an order, while nothing reads the outbox."""
    with outbox_closed(shop):
        shop.place()
        before = cpu_of(shop.cloud)
        for _ in range(orders):
            shop.place()
        return (cpu_of(shop.cloud) - before) / orders


@contextmanager
def outbox_closed(shop: Shop) -> Iterator[None]:
    functions = shop.cloud.client("lambda")
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    streams = [each["UUID"] for each in mappings if ":dynamodb:" in each["EventSourceArn"]]
    for uuid in streams:
        functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        for uuid in streams:
            functions.update_event_source_mapping(UUID=uuid, Enabled=True)


def http_calls(run: Run) -> float:
    """To place an order: all that were made, less those of its later life."""
    return run.each(run.counts["http.requests"]) - (CALLS - 1)
