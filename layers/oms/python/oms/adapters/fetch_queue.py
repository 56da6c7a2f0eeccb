"""The queue of what shops have only told the ids of: each message is one thing to ask a shop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.adapters.channels.base import Fetch
from oms.settings import setting

LONGEST_DELAY = 900  # seconds, that a queue holds a message back


@dataclass(frozen=True, slots=True)
class Errand:
    """`since`: when the shop has told."""

    fetch: Fetch
    since: datetime

    def written(self) -> str:
        asked = self.fetch
        named = {"channel": asked.channel, "external_id": asked.external_id, "what": asked.what}
        return json.dumps({**named, "since": self.since.isoformat()})

    @classmethod
    def read(cls, body: str) -> Errand:
        said = json.loads(body)
        since = datetime.fromisoformat(said.pop("since"))
        return cls(Fetch(**said), since)


class FetchQueue:
    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, errand: Errand, after_seconds: int = 0) -> None:
        """What is asked twice is done once."""
        delay = max(0, min(after_seconds, LONGEST_DELAY))
        self._client.send_message(
            QueueUrl=self._url, MessageBody=errand.written(), DelaySeconds=delay
        )


@cache
def fetch_queue() -> FetchQueue:
    return FetchQueue(aws.client("sqs"), setting("FETCH_QUEUE"))
