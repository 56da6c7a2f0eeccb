"""The queue of jobs: each message is one slice to work on, or a job to look after."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.settings import setting


@dataclass(frozen=True, slots=True)
class Task:
    """Without a slice: see what the job needs next."""

    job_id: str
    slice: int | None = None

    def written(self) -> str:
        return json.dumps({"job_id": self.job_id, "slice": self.slice})

    @classmethod
    def read(cls, body: str) -> Task:
        said = json.loads(body)
        return cls(said["job_id"], said["slice"])


class JobQueue:
    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, tasks: Iterable[Task]) -> None:
        """A message that is sent twice does no harm."""
        for task in tasks:
            self._client.send_message(QueueUrl=self._url, MessageBody=task.written())


@cache
def job_queue() -> JobQueue:
    return JobQueue(aws.client("sqs"), setting("JOB_QUEUE"))
