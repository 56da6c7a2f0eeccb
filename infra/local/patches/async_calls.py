"""Asynchronous calls are tried again and kept over a restart; calls queue for this small machine.

Unpatched: a call by an EventBridge rule is made once and forgotten, failed or not; calls under way
are lost with the process; a call above the concurrency limit is refused at once, where AWS, whose
limit is far higher, would start another process.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import eventbridge, lambda_svc

from infra.local.patches.source import edit, replace
from infra.local.patches.streams import scope

AT_ONCE = 6  # the other slots are for those who wait for an answer
SLOT_PATIENCE = 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
DEFAULT_RETRIES, DEFAULT_AGE = 2, 21_600

Call = dict[str, Any]
waiting: dict[str, Call] = {}
workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="async-call")
freed = threading.Condition()
take_slot: Any = None
give_slot: Any = None


def apply() -> None:
    global take_slot, give_slot
    take_slot = replace(lambda_svc, "_acquire_execution_slot", "ed3b38149e2e", wait_for_slot)
    give_slot = replace(lambda_svc, "_release_execution_slot", "b35708f638af", release_slot)
    replace(lambda_svc, "invoke_async_with_retry", "289fe4d3cbd4", accept)
    edit(
        eventbridge,
        "_dispatch_to_lambda",
        "1f95adbaed3a",
        (
            "    threading.Thread(\n"
            "        target=lambda_svc._execute_function_with_config_scope, "
            "args=(exec_record, event), daemon=True\n"
            "    ).start()\n",
            "    lambda_svc.invoke_async_with_retry(exec_record, event)\n",
        ),
    )


def wait_for_slot(func: Any, config: Any) -> Any:
    deadline = time.monotonic() + SLOT_PATIENCE
    while True:
        slot, limit = take_slot(func, config)
        if slot is not None or limit == "function" or time.monotonic() > deadline:
            return slot, limit
        with freed:
            freed.wait(0.1)


def release_slot(slot: Any) -> None:
    give_slot(slot)
    with freed:
        freed.notify()


def accept(func: dict[str, Any], event: Any) -> None:
    config = func.get("config") or func
    account, region = lambda_svc._account_region_from_function_config(config)
    begin(
        {
            "id": new_uuid(),
            "account": account,
            "region": region,
            "function": config["FunctionArn"],
            "event": event,
            "failures": 0,
            "accepted": time.time(),
        }
    )


def begin(call: Call) -> None:
    waiting[call["id"]] = call
    workers.submit(attempt, call)


def attempt(call: Call) -> None:
    with scope(call["account"], call["region"]):
        func, config, _ = lambda_svc._get_func_record_for_ref(call["function"])
        if not func:
            waiting.pop(call["id"], None)
            return
        record = lambda_svc._execution_record_for_config(func, config)
        settle(call, func, lambda_svc._execute_function(record, call["event"]))


def settle(call: Call, func: dict[str, Any], result: dict[str, Any]) -> None:
    """Done, or tried again after a while, or given up; a throttled attempt does not count."""
    if not result.get("error"):
        waiting.pop(call["id"], None)
        return
    call["failures"] += 0 if result.get("throttle") else 1
    pause = min(FIRST_PAUSE * 2 ** max(0, call["failures"] - 1), LONGEST_PAUSE)
    policy = policy_of(func)
    retries = policy.get("MaximumRetryAttempts", DEFAULT_RETRIES)
    age = time.time() - call["accepted"] + pause
    if call["failures"] > retries or age > policy.get("MaximumEventAgeInSeconds", DEFAULT_AGE):
        give_up(call, func, policy, result)
    else:
        timer = threading.Timer(pause, workers.submit, [attempt, call])
        timer.daemon = True
        timer.start()


def policy_of(func: dict[str, Any]) -> dict[str, Any]:
    configs = func.get("event_invoke_configs") or {}
    found = func.get("event_invoke_config") or configs.get("$LATEST") or {}
    return {name: value for name, value in found.items() if value is not None}


def give_up(call: Call, func: dict[str, Any], policy: Call, result: Call) -> None:
    config = func["config"]
    lambda_svc.logger.error("%s: gave up: %s", call["function"], json.dumps(result["body"]))
    destination = (policy.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
    destination = destination or (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if destination:
        name = config["FunctionName"]
        lambda_svc._route_async_failure(destination, name, call["event"], result)
    waiting.pop(call["id"], None)


def state() -> dict[str, Any]:
    return {"waiting": list(waiting.values())}


def restore(saved: dict[str, Any]) -> None:
    for call in saved["waiting"]:
        begin(call)
