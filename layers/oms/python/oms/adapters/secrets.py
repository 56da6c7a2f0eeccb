"""The secrets of senders, read once per environment and again after five minutes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b32encode
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.settings import setting

FRESH_SECONDS = 300


class Secrets:
    """One Secrets Manager secret: a JSON object, sender -> secret, and the `pepper` of ids."""

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._values: dict[str, str] = {}
        self._read_at = -float(FRESH_SECONDS)

    def of(self, sender: str) -> str | None:
        """None for a sender whose secret nobody has stored: nothing it sends is believed."""
        return self._fresh().get(sender) or None

    def customer_id(self, email: str) -> str:
        """The same person, the same id; without the pepper nobody finds the person in it."""
        digest = hmac.digest(
            self._fresh()["pepper"].encode(), email.strip().lower().encode(), hashlib.sha256
        )
        return "cus_" + b32encode(digest).decode()[:20].lower()

    def _fresh(self) -> dict[str, str]:
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
            self._values = json.loads(answer["SecretString"])
            self._read_at = time.monotonic()
        return self._values


@cache
def secrets() -> Secrets:
    return Secrets(aws.client("secretsmanager"), setting("SECRET_ID"))
