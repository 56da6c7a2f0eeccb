"""What the functions log, as they log it."""

import time
from collections.abc import Iterator
from typing import Any

from infra.local.cloud import Cloud

PAUSE = 1.0
BEFORE = 10 * 60
SKIPPED = ("START RequestId", "END RequestId", "REPORT RequestId")


def follow(cloud: Cloud) -> None:
    """Print the last ten minutes, then what comes, until interrupted."""
    since, printed = int((time.time() - BEFORE) * 1000), set[tuple[int, str]]()
    while True:
        for event in sorted(events(cloud, since), key=lambda event: int(event["timestamp"])):
            identity = (int(event["timestamp"]), event["group"] + event["message"])
            if identity not in printed:
                printed.add(identity)
                show(event)
                since = max(since, identity[0] - 2000)
        time.sleep(PAUSE)


def events(cloud: Cloud, since: int) -> Iterator[dict[str, Any]]:
    client = cloud.client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            found = client.filter_log_events(logGroupName=name, startTime=since)
            yield from ({**event, "group": name} for event in found["events"])


def show(event: dict[str, Any]) -> None:
    message = event["message"].rstrip()
    if not message.startswith(SKIPPED):
        stamp = time.strftime("%H:%M:%S", time.localtime(event["timestamp"] / 1000))
        print(f"{stamp} {event['group'].rpartition('/')[2]:<32} {message}", flush=True)
