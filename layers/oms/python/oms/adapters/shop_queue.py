"""The queue of shops that have something to be told: each message names one."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.domain.shop_tasks import Task
from oms.settings import setting


class ShopQueue:
    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def nudge(self, shop: str) -> None:
        """Told twice it does no harm; one that is lost is made up for within a minute."""
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"shop": shop}))


class ShopFailures:
    """The dead letters of what shops are told: their alarm wakes a person."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def tell(self, task: Task, why: str) -> None:
        said = {"task_id": task.task_id, "kind": task.kind, "tries": task.tries, "error": why}
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(said))


def shop_of(body: str) -> str:
    return str(json.loads(body)["shop"])


@cache
def shop_queue() -> ShopQueue:
    return ShopQueue(aws.client("sqs"), setting("SHOP_QUEUE"))


@cache
def shop_failures() -> ShopFailures:
    return ShopFailures(aws.client("sqs"), setting("SHOP_FAILURES"))
