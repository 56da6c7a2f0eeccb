"""The process that runs one function: reads events from stdin, answers on stdout, a line each.

Run as `python -I function_host.py`; sees the standard library, the layers and the function's own
code, as on AWS. Everything that the function prints goes to stderr, closed by a mark.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import IO, Any

END_OF_LOG = "\x00end"

Handler = Callable[[Any, Any], Any]
Answer = dict[str, Any]


class Context:
    def __init__(self, function: Answer, call: Answer) -> None:
        self.function_name = function["function_name"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = function["memory"]
        self.invoked_function_arn = call["arn"]
        self.aws_request_id = call["request_id"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline = time.time() + call["timeout_ms"] / 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    function = json.loads(sys.stdin.readline())
    sys.path[:0] = function["path"]
    handler, failure = load(function["module"], function["handler"])
    reply(answers, failure or {"status": "ready"})
    if handler:
        for line in sys.stdin:
            reply(answers, invoke(handler, function, json.loads(line)))


def reply(answers: IO[str], answer: Answer) -> None:
    sys.stdout.flush()
    sys.stderr.write(END_OF_LOG + "\n")
    sys.stderr.flush()
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def load(module: str, name: str) -> tuple[Handler | None, Answer | None]:
    try:
        return getattr(importlib.import_module(module), name), None
    except ImportError as error:
        message = f"Unable to import module '{module}': {error}"
        return None, failed("Runtime.ImportModuleError", message, [])
    except AttributeError as error:
        message = f"Handler '{name}' missing on module '{module}': {error}"
        return None, failed("Runtime.HandlerNotFound", message, [])
    except Exception as error:  # noqa: BLE001 - the function's own code may raise anything
        return None, failed_by(error)


def invoke(handler: Handler, function: Answer, call: Answer) -> Answer:
    os.environ["_X_AMZN_TRACE_ID"] = call["trace_id"] or ""
    try:
        result = handler(call["event"], Context(function, call))
    except Exception as error:  # noqa: BLE001 - the function's own code may raise anything
        return failed_by(error)
    try:
        return {"status": "ok", "result": json.loads(json.dumps(result))}
    except (TypeError, ValueError) as error:
        return failed("Runtime.MarshalError", f"Unable to marshal response: {error}", [])


def failed_by(error: Exception) -> Answer:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__]
    return failed(type(error).__name__, str(error), traceback.format_list(own))


def failed(error_type: str, message: str, stack: list[str]) -> Answer:
    sys.stderr.write(f"[ERROR] {error_type}: {message}\n{''.join(stack)}\n")
    return {"status": "error", "type": error_type, "error": message, "stack": stack}


if __name__ == "__main__":
    main()
