"""One log line per invocation: what ran, how it ended, how long it took, ids. Never a payload."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import cache, wraps
from time import perf_counter
from typing import Any

from aws_lambda_powertools import Logger

Handler = Callable[[dict[str, Any], Any], Any]

FRAMES = 8  # of a surprise's traceback, innermost last
IDS = ("order_id", "fo_id", "sku", "return_id")


@cache
def logger() -> Logger:
    """Built at the first line, so that importing a function reads no environment."""
    return Logger(service="oms", name="oms", location=None)


def observed(handler: Handler) -> Handler:
    """Log one line for each invocation of a handler; a surprise is logged once and goes on up."""

    @wraps(handler)
    def invoke(event: dict[str, Any], context: Any) -> Any:
        began = perf_counter()
        line = {"function": handler.__module__.removeprefix("functions."), **ids(event)}
        try:
            result = handler(event, context)
        except Exception as error:
            logger().error("failed", extra=line | describe(error) | {"ms": since(began)})
            raise
        logger().info("done", extra=line | _outcome(result) | {"ms": since(began)})
        return result

    return invoke


def ids(event: Any) -> dict[str, str]:
    """The ids in an event: at its top, or in the detail of one from the bus."""
    if not isinstance(event, Mapping):
        return {}
    places = (event, event.get("detail"))
    found = [p for p in places if isinstance(p, Mapping)]
    return {key: str(place[key]) for place in found for key in IDS if key in place}


def describe(error: BaseException) -> dict[str, Any]:
    """A surprise without its message, which may quote a person's data: the type and the place."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {
        "error": _name(error),
        "code": _code(error),
        "at": [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
        "cause": _name(error.__cause__ or error.__context__),
    }


def since(began: float) -> float:
    return round((perf_counter() - began) * 1000, 2)


def _outcome(result: Any) -> dict[str, str]:
    outcome = result.get("outcome") if isinstance(result, Mapping) else None
    return {"outcome": outcome} if outcome else {}


def _name(error: BaseException | None) -> str | None:
    return type(error).__qualname__ if error else None


def _code(error: BaseException) -> str | None:
    """The code in an answer of AWS (`ConditionalCheckFailedException`), if it is one."""
    answer = getattr(error, "response", None)
    return answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:])
