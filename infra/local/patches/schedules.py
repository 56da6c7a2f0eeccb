"""Schedules fire within a second, not within ten."""

from ministack.services import eventbridge, scheduler

SECONDS = 1


def apply() -> None:
    for module, name in (
        (scheduler, "_SCHEDULE_TICK_INTERVAL"),
        (eventbridge, "_SCHEDULER_TICK_INTERVAL"),
    ):
        vars(module)[name]  # a KeyError says that the emulator has renamed it
        setattr(module, name, SECONDS)
