"""A proxy before an embedded cloud that writes down which function asks for what.

The emulator's own meter counts everything that is done in it; this one knows who asked. Functions
are told to ask it by `listen_to`, which gives each its own name in its requests.
"""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from infra.local.cloud import Cloud

READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
OWN_HEADERS = frozenset({"content-length", "connection", "expect", "transfer-encoding"})
NAME = "AWS_SDK_UA_APP_ID"  # the SDK puts it into its user agent
TRANSACTION_FACTOR = 2


class Call(NamedTuple):
    function: str
    service: str
    action: str


class Written(NamedTuple):
    function: str
    table: str


@dataclass
class Tally:
    """`refused` are requests that were answered with an error; a write among them is billed."""

    calls: Counter[Call] = field(default_factory=Counter)
    refused: Counter[Call] = field(default_factory=Counter)
    wru: Counter[Written] = field(default_factory=Counter)
    rru: Counter[Written] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    event_units: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, call: Call, asked: Any, status: int, answered: bytes) -> None:
        with self._lock:
            self.calls[call] += 1
            if status >= 400:
                self.refused[call] += 1
            if call.service == "dynamodb":
                self.note_units(call, asked, json.loads(answered) if status < 400 else None)
            if call.action == "PutEvents":
                self.note_events(asked["Entries"])

    def note_units(self, call: Call, asked: Any, answer: Any) -> None:
        into = self.rru if call.action in READS else self.wru
        used = units_of_refused(call, asked) if answer is None else units_of(answer)
        for table, units in used:
            into[Written(call.function, table)] += units  # type: ignore[assignment]

    def note_events(self, entries: list[Any]) -> None:
        for entry in entries:
            self.events[entry["DetailType"]] += 1
            self.event_units += -(-len(entry["Detail"]) // (64 * 1024))


def units_of(answer: Any) -> Iterator[tuple[str, float]]:
    """As DynamoDB says itself: a transaction counts twice for rows, once for indexes."""
    used = answer.get("ConsumedCapacity") or []
    for each in used if isinstance(used, list) else [used]:
        yield each["TableName"], float(each["CapacityUnits"])


def units_of_refused(call: Call, asked: Any) -> Iterator[tuple[str, float]]:
    """A condition that fails costs what the write of a small row would have cost."""
    if call.action == "TransactWriteItems":
        for item in asked["TransactItems"]:
            yield next(iter(item.values()))["TableName"], TRANSACTION_FACTOR
    elif call.action in WRITES and "TableName" in asked:
        yield asked["TableName"], 1


class Meter:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.tally = Tally()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        self.tally = Tally()

    def handler(self) -> type["Handler"]:
        return type("OwnHandler", (Handler,), {"meter": self})

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection of one caller; it has one of its own to the emulator."""

    meter: Meter
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    disable_nagle_algorithm = True
    _upstream: http.client.HTTPConnection | None = None

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = call_of(dict(self.headers), self.path)
        asked = json.loads(body) if call.service in ("dynamodb", "events") else {}
        if call.service == "dynamodb" and call.action in READS | WRITES:
            asked = {"ReturnConsumedCapacity": "TOTAL", **asked}
            body = json.dumps(asked).encode()
        answer = self.ask(body)
        octets = answer.read()
        self.meter.tally.note(call, asked, answer.status, octets)
        self.answer(answer, octets)

    def ask(self, body: bytes) -> http.client.HTTPResponse:
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection("127.0.0.1", self.meter.cloud.port)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in OWN_HEADERS}
        self._upstream.request(self.command, self.path, body, headers)
        return self._upstream.getresponse()

    def answer(self, answer: http.client.HTTPResponse, octets: bytes) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = pass_on  # noqa: N815 - as the base class asks

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent: what matters is in the tally."""

    def finish(self) -> None:
        if self._upstream is not None:
            self._upstream.close()
        super().finish()


def call_of(headers: Mapping[str, str], path: str) -> Call:
    headers = {name.lower(): value for name, value in headers.items()}
    service, action = target_of(headers.get("x-amz-target", ""), headers, path)
    return Call(caller_of(headers.get("user-agent", "")), service, action)


def target_of(target: str, headers: Mapping[str, str], path: str) -> tuple[str, str]:
    signed_for = headers.get("authorization", "").split("/")
    service = signed_for[3] if len(signed_for) > 4 else "unknown"
    return service, target.rpartition(".")[2] or path.partition("?")[0]


def caller_of(agent: str) -> str:
    parts = [part for part in agent.split() if part.startswith("app/")]
    return parts[0].removeprefix("app/") if parts else "unknown"


@contextmanager
def metered(cloud: Cloud) -> Iterator[Meter]:
    """A meter that every function of this cloud asks through, from their next start on."""
    meter = Meter(cloud)
    thread = threading.Thread(target=meter.serve, daemon=True)
    thread.start()
    try:
        listen_to(meter)
        yield meter
    finally:
        meter.close()
        thread.join()


def listen_to(meter: Meter) -> None:
    functions = meter.cloud.client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            variables = function.get("Environment", {}).get("Variables", {})
            own = {"AWS_ENDPOINT_URL": meter.url, NAME: name.rpartition("-")[2]}
            functions.update_function_configuration(
                FunctionName=name, Environment={"Variables": {**variables, **own}}
            )
