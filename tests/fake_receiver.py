"""A system that is told of events: it believes what the library of Standard Webhooks verifies with
one of the secrets that it knows, and can be told to be difficult."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from unittest import mock

from standardwebhooks import webhooks
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from oms.adapters.web import Answer, Unreachable


class ReceiverCrash(BaseException):
    """The worker is gone after the receiver has taken the message."""


@dataclass
class FakeReceiver:
    """`answers` are given in turn, then 204s; one that is None is no answer at all. `heard`: the
    ids of the messages that it believed, as often as they came, and `said` what was in them."""

    clock: Callable[[], datetime]
    secrets: list[str] = field(default_factory=list)
    answers: list[Answer | None] = field(default_factory=list)
    dies: bool = False
    asked: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        assert method == "POST"
        self.asked.append(url)
        self.headers.append(dict(headers or {}))
        answer = self.answers.pop(0) if self.answers else Answer(204)
        if answer is None:
            raise Unreachable("ReadTimeoutError")
        if answer.status >= 300:
            return answer
        if not self._believes(body or b"", headers or {}):
            return Answer(401, {}, b"bad signature")
        self.heard.append((headers or {})["webhook-id"])
        self.said.append(json.loads(body or b""))
        if self.dies:
            raise ReceiverCrash
        return answer

    def _believes(self, body: bytes, headers: Mapping[str, str]) -> bool:
        return any(verifies(each, body, headers, self.clock()) for each in self.secrets)


def verifies(secret: str, body: bytes, headers: Mapping[str, str], now: datetime) -> bool:
    """By the library, at this moment."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Then:
            return cls.fromtimestamp(now.timestamp(), tz)

    with mock.patch.object(webhooks, "datetime", Then):
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
        except WebhookVerificationError:
            return False
        return True
