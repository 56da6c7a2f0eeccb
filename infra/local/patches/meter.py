"""What an embedded cloud was asked to do, counted in the units that AWS bills.

Not a correction: AWS says it on the bill. Read it at /_baton/meter, DELETE to begin anew.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.services import (
    dynamodb,
    eventbridge,
    kms,
    lambda_svc,
    secretsmanager,
    ses_v2,
    sqs,
    stepfunctions,
)

PATH = "/_baton/meter"
SERVICES = {
    "dynamodb": dynamodb,
    "events": eventbridge,
    "kms": kms,
    "secretsmanager": secretsmanager,
    "ses": ses_v2,
    "sqs": sqs,
    "states": stepfunctions,
}
READS = ("get_item", "query", "scan", "batch_get_item", "transact_get_items")
WRITES = ("put_item", "update_item", "delete_item", "batch_write_item", "transact_write_items")
Asgi = Callable[[Any, Any, Any], Awaitable[None]]

counts: Counter[str] = Counter()
lock = threading.Lock()


def apply() -> None:
    for service, module in SERVICES.items():
        count_requests(service, module)
    for unit, actions in (("rru", READS), ("wru", WRITES)):
        for action in actions:
            count_units(unit, f"_{action}")
    count_calls()
    count_transitions()
    count_http()


def add(name: str, amount: float = 1) -> None:
    with lock:
        counts[name] += amount  # type: ignore[assignment]  # gigabyte-seconds are fractions


def count_requests(service: str, module: Any) -> None:
    handle = module.handle_request

    async def counted(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        add(f"{service}.{action or method + ' ' + path}")
        if action == "PutEvents":
            add("events.entries", len(json.loads(body).get("Entries", [])))
        return await handle(method, path, headers, body, query)

    module.handle_request = counted


def count_units(unit: str, action: str) -> None:
    perform = getattr(dynamodb, action)

    def counted(data: dict[str, Any]) -> Any:
        if data.get("ReturnConsumedCapacity", "NONE") == "NONE":
            data = {**data, "ReturnConsumedCapacity": "TOTAL"}
        answer = perform(data)
        if answer[0] == 200:
            add(f"dynamodb.{unit}", units(answer[2]))
        return answer

    setattr(dynamodb, action, counted)


def units(body: bytes) -> float:
    used = json.loads(body).get("ConsumedCapacity") or []
    tables = used if isinstance(used, list) else [used]
    return sum(float(table["CapacityUnits"]) for table in tables)


def count_calls() -> None:
    execute = lambda_svc._execute_function_dispatch

    def counted(func: Any, config: dict[str, Any], *request: Any) -> Any:
        started = time.monotonic()
        result = execute(func, config, *request)
        seconds = time.monotonic() - started
        add("lambda.calls")
        add(f"lambda.calls.{config['FunctionName']}")
        add("lambda.errors", 1 if result.get("error") else 0)
        add("lambda.gb_seconds", seconds * config.get("MemorySize", 128) / 1024)
        add("lambda.log_bytes", len(result.get("log") or ""))
        return result

    lambda_svc._execute_function_dispatch = counted


def count_transitions() -> None:
    add_event = stepfunctions._add_event

    def counted(execution: dict[str, Any], kind: str, *details: Any) -> Any:
        if kind.endswith("StateEntered"):
            machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
            add(f"states.transitions.{machine.get('type', 'STANDARD').lower()}")
        return add_event(execution, kind, *details)

    stepfunctions._add_event = counted


def count_http() -> None:
    handle = app._handle_execute_api_request

    async def counted(host: str, path: str, *request: Any, **more: Any) -> Any:
        if app._parse_execute_api_url(host, path):
            add("http.requests")
        return await handle(host, path, *request, **more)

    app._handle_execute_api_request = counted


def served(inner: Asgi) -> Asgi:
    """The application with the meter's own address in front."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await answer(scope["method"], send)
        else:
            await inner(scope, receive, send)

    return application


async def answer(method: str, send: Any) -> None:
    with lock:
        if method == "DELETE":
            counts.clear()
        body = json.dumps({**counts, "cpu_seconds": time.process_time()}, sort_keys=True).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
