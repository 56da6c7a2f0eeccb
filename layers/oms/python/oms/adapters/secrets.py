"""The secrets of senders, read once per environment and again after five minutes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b32encode
from collections.abc import Mapping
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.domain.gift_cards import read_code
from oms.domain.store_credit import GIFT_CARD, PREFIXES
from oms.settings import setting

FRESH_SECONDS = 300


class Secrets:
    """One Secrets Manager secret: a JSON object, sender -> secret, and the `pepper` of ids.

    A sender is a carrier, a provider, a channel or a shop of one (`shopify:mugs.myshopify.com`). A
    list of secrets are those of one sender, while it changes from one to another. What is called
    `<shop>/api` are the shop's credentials, an object; `<channel or shop>/verification` is the
    token of its handshakes.
    """

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._values: dict[str, Any] = {}
        self._read_at = -float(FRESH_SECONDS)

    def of(self, sender: str) -> str | None:
        """None for a sender whose secret nobody has stored: nothing it sends is believed."""
        return next(iter(self.all_of(sender)), None)

    def all_of(self, sender: str) -> tuple[str, ...]:
        """Each of them is believed: a secret is changed while messages are under way."""
        said = self._fresh().get(sender) or ()
        return (said,) if isinstance(said, str) else tuple(said)

    def of_shop(self, channel: str, shop: str) -> tuple[str, ...]:
        """Its own, where it has some; else those of its channel. So no shop speaks for another."""
        return self.all_of(f"{channel}:{shop}") or self.all_of(channel)

    def credentials(self, shop: str) -> Mapping[str, str]:
        """Of its API, by the channel of its orders; nothing where nobody has put them in."""
        return dict(self._fresh().get(f"{shop}/api") or {})

    def handshake(self, channel: str, shop: str) -> str:
        """The token that a channel's questions to a new address are answered with; or empty."""
        return self.of(f"{channel}:{shop}/verification") or self.of(f"{channel}/verification") or ""

    def customer_id(self, email: str) -> str:
        """The same person, the same id; without the pepper nobody finds the person in it."""
        digest = hmac.digest(
            self._fresh()["pepper"].encode(), email.strip().lower().encode(), hashlib.sha256
        )
        return "cus_" + b32encode(digest).decode()[:20].lower()

    def unbelieved_id(self, email: str) -> str:
        """Of whoever says that it is theirs, where nobody vouches for that."""
        return self.customer_id(f"unknown {email}")

    def gift_card_id(self, code: str) -> str:
        """Of the card with this code, empty where it is none; nobody finds the code in it."""
        digest = b32encode(self._keyed("gift card", read_code(code))).decode()
        return PREFIXES[GIFT_CARD] + digest[:26].lower() if read_code(code) else ""

    def gift_card_seed(self, actor: str, key: str) -> bytes:
        """What the code of a card is made of that this actor issues under this key, always."""
        return self._keyed("gift card code", actor, key)

    def digest(self, subject: str, said: str) -> str:
        """The same of the same, and nobody finds in it what was said."""
        return b32encode(self._keyed("digest", subject, said)).decode()[:26].lower()

    def tracking_token(self, order_id: str) -> str:
        """Opens the order's tracking page, and nothing else; it names nobody."""
        named = order_id.removeprefix("ord_")
        return f"{named}-{b32encode(self._keyed('tracking page', named)).decode()[:26].lower()}"

    def tracked_order(self, token: str) -> str | None:
        """The order that a token opens; None for a token that is not ours."""
        order_id = "ord_" + token.partition("-")[0]
        expected = self.tracking_token(order_id)
        return order_id if hmac.compare_digest(expected.encode(), token.encode()) else None

    def _keyed(self, *said: str) -> bytes:
        text = "\x1f".join(said)
        return hmac.digest(self._fresh()["pepper"].encode(), text.encode(), hashlib.sha256)

    def _fresh(self) -> dict[str, Any]:
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
            self._values = json.loads(answer["SecretString"])
            self._read_at = time.monotonic()
        return self._values


@cache
def secrets() -> Secrets:
    return Secrets(aws.client("secretsmanager"), setting("SECRET_ID"))
