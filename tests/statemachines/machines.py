"""The definitions as they are deployed, and the roads through them."""

import json
from collections.abc import Iterator
from typing import Any

from infra.workflow import DEFINITIONS, definition

State = dict[str, Any]
NAMES = sorted(path.name.split(".")[0] for path in DEFINITIONS.glob("*.asl.json"))


def machine(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(definition(name))
    return loaded


def states(name: str) -> dict[str, State]:
    found: dict[str, State] = machine(name)["States"]
    return found


def tasks(name: str) -> dict[str, State]:
    return {title: state for title, state in states(name).items() if state["Type"] == "Task"}


def waits(name: str) -> dict[str, State]:
    return {
        title: state
        for title, state in tasks(name).items()
        if state["Resource"].endswith(".waitForTaskToken")
    }


def ways_out(state: State) -> Iterator[str]:
    yield from (way["Next"] for way in state.get("Catch", []))
    yield from (choice["Next"] for choice in state.get("Choices", []))
    yield from (state[key] for key in ("Next", "Default") if key in state)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)
