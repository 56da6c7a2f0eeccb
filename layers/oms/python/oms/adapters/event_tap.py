"""Whether events flow into the queue of the subscribers: only while somebody subscribes.

A rule of the bus puts them in, a mapping takes them out. A deployment may set both back: into the
queue events flow then, and nobody takes them out until this is asked the next time, so none is
lost."""

from __future__ import annotations

from functools import cache
from typing import Any

from oms.adapters import aws
from oms.settings import setting

ON = ("Enabled", "Enabling", "Creating")


class EventTap:
    def __init__(self, events: Any, functions: Any, bus: str, rule: str, mapping: str) -> None:
        self._events, self._functions = events, functions
        self._bus, self._rule, self._mapping = bus, rule, mapping

    def turn(self, *, on: bool) -> bool:
        """Whether anything had to be changed. Where another deployment is changing the mapping
        this moment, it raises; whoever asks asks again."""
        moved = [self._turn_rule(on), self._turn_mapping(on)]
        return any(moved)

    def _turn_rule(self, on: bool) -> bool:
        where = {"Name": self._rule, "EventBusName": self._bus}
        if (self._events.describe_rule(**where)["State"] == "ENABLED") == on:
            return False
        (self._events.enable_rule if on else self._events.disable_rule)(**where)
        return True

    def _turn_mapping(self, on: bool) -> bool:
        found = self._functions.get_event_source_mapping(UUID=self._mapping)
        if (found["State"] in ON) == on:
            return False
        self._functions.update_event_source_mapping(UUID=self._mapping, Enabled=on)
        return True


@cache
def event_tap() -> EventTap:
    return EventTap(
        aws.client("events"),
        aws.client("lambda"),
        setting("EVENT_BUS"),
        setting("SUBSCRIBER_RULE"),
        setting("SUBSCRIBER_MAPPING"),
    )
