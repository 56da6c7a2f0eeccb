"""What the emulator gets wrong and Baton depends on, one file for each topic.

Each file names the source that it replaces by its digest, so that an upgrade of the emulator
fails loudly here; each has a conformance test in tests/local that says what AWS does. A patch is
deleted on the day the emulator learns it.
"""

from infra.local.patches import (
    async_calls,
    http_api,
    machines,
    meter,
    permissions,
    queries,
    resources,
    schedules,
    snapshots,
    streams,
    workers,
)

TOPICS = (
    workers,
    async_calls,
    streams,
    queries,
    http_api,
    machines,
    schedules,
    resources,
    permissions,
    snapshots,
    meter,
)


def apply() -> None:
    for topic in TOPICS:
        topic.apply()
