"""Step Functions: starting twice, deadlines, heartbeats and failures of callback tasks.

Unpatched: starting again with the same name and input is refused while the first runs; the
deadline of a machine and the heartbeat of a task are ignored, and one of a task that is computed is
no number; a function that fails before it
kept its task token leaves the task waiting; every execution begins with a sleep of 0.15 s; a
token that is no longer known is an error that AWS does not have.
"""

import threading
from typing import Any

from ministack.services import stepfunctions

from infra.local.patches.source import edit

Change = tuple[str, str]  # lines of the source, and what stands there instead

GONE: Change = (
    '"TaskDoesNotExist", "Task token not found"',
    '"TaskTimedOut", "Task Timed Out: \'Provided task does not exist anymore\'"',
)
CHANGES: dict[str, tuple[str, list[Change]]] = {
    "_start_execution": (
        "9923282fc76c",
        [
            (
                "    if exec_arn in _executions:\n",
                "    known = _executions.get(exec_arn)\n"
                "    if known and known['status'] == 'RUNNING' "
                "and known['input'] == data.get('input', '{}'):\n"
                "        return json_response("
                "{'executionArn': exec_arn, 'startDate': known['startDate']})\n"
                "    if known:\n",
            ),
        ],
    ),
    "_run_execution": (
        "996dff84e0e0",
        [
            ("    time.sleep(0.15)\n", ""),
            (
                "    try:\n        while current_name",
                "    baton_watch_deadline(execution, definition.get('TimeoutSeconds'))\n"
                "    try:\n        while current_name",
            ),
        ],
    ),
    "_execute_task": (
        "53c818d247db",
        [
            (
                '    resource = state_def.get("Resource", "")\n',
                "    state_def = baton_with_deadline(state_def, raw_input, ctx)\n"
                '    resource = state_def.get("Resource", "")\n',
            ),
        ],
    ),
    "_invoke_with_callback": (
        "bbb38423156a",
        [
            (
                "        try:\n            _call_lambda(func_ref, lambda_payload)\n"
                "        except _ExecutionError:\n            pass\n",
                "        try:\n            _call_lambda(func_ref, lambda_payload)\n"
                "        except _ExecutionError:\n            _task_tokens.pop(token, None)\n"
                "            raise\n",
            ),
            (
                "    if not evt.wait(timeout=timeout):\n"
                "        _task_tokens.pop(token, None)\n"
                '        raise _ExecutionError("States.Timeout",\n'
                '                              "Task timed out waiting for callback")\n',
                "    baton_await_callback(token, timeout, state_def.get('HeartbeatSeconds'))\n",
            ),
        ],
    ),
    "_call_lambda": (
        "25830369b126",
        [
            (
                '    if result.get("error"):\n',
                '    baton_throttled(result)\n    if result.get("error"):\n',
            ),
        ],
    ),
    "_start_sync_execution": (
        "8600470a0208",
        [
            (
                "    return json_response(resp)\n",
                "    _executions.pop(exec_arn, None)  # as AWS keeps no record of it\n"
                "    return json_response(resp)\n",
            ),
        ],
    ),
    "_send_task_success": ("12eff48bce57", [GONE]),
    "_send_task_failure": ("c2a489b4ed33", [GONE]),
    "_send_task_heartbeat": ("56879a4655d1", [GONE]),
}


def apply() -> None:
    vars(stepfunctions).update(
        baton_watch_deadline=watch_deadline,
        baton_await_callback=await_callback,
        baton_throttled=throttled,
        baton_with_deadline=with_deadline,
    )
    for name, (expected, changes) in CHANGES.items():
        edit(stepfunctions, name, expected, *changes)


def watch_deadline(execution: dict[str, Any], seconds: float | None) -> None:
    """End the execution as TIMED_OUT when it still runs after `TimeoutSeconds` of its machine."""
    if seconds is None:
        return
    timer = threading.Timer(seconds, time_out, [execution])
    timer.daemon = True
    timer.start()


def time_out(execution: dict[str, Any]) -> None:
    if execution["status"] == "RUNNING":
        execution["status"] = "TIMED_OUT"
        execution["stopDate"] = stepfunctions.now_iso()
        stepfunctions._add_event(execution, "ExecutionTimedOut")


def with_deadline(state: dict[str, Any], given: Any, context: Any) -> dict[str, Any]:
    """The state with its `TimeoutSeconds` computed, where it is a JSONata expression."""
    if not isinstance(state.get("TimeoutSeconds"), str):
        return state
    field = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", given, context)
    return {**state, "TimeoutSeconds": field}


def await_callback(token: str, seconds: float, heartbeat: float | None) -> None:
    """Return once the token was answered; fail the task when it or its heartbeat is late."""
    info = stepfunctions._task_tokens[token]
    deadline = stepfunctions.time.monotonic() + seconds
    while True:
        last_beat = info["heartbeat"]
        left = deadline - stepfunctions.time.monotonic()
        if info["event"].wait(timeout=left if heartbeat is None else min(left, heartbeat)):
            return
        if deadline <= stepfunctions.time.monotonic():
            give_up(token, "States.Timeout", "Task timed out waiting for callback")
        if info["heartbeat"] == last_beat:
            give_up(token, "States.HeartbeatTimeout", "No heartbeat from the task")


def give_up(token: str, error: str, cause: str) -> None:
    stepfunctions._task_tokens.pop(token, None)
    raise stepfunctions._ExecutionError(error, cause)


def throttled(result: dict[str, Any]) -> None:
    if result.get("throttle"):
        message = result["body"]["message"]
        raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", message)
