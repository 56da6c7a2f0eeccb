"""A small client of the HTTP API: tokens, idempotency keys, signed webhooks, patience."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from infra.local import access
from infra.local.cloud import Cloud, CloudError
from oms.adapters.carriers import easypost
from oms.adapters.carriers import sandbox as carrier
from oms.adapters.channels import shopify
from oms.adapters.payments import sandbox

Json = dict[str, Any]
JSON = "application/json"
UNAUTHORIZED = 401
BUSY = frozenset({429, 500, 502, 503, 504})
ATTEMPTS = 8
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
TIMEOUT = 60
NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}


class Refusal(CloudError):
    """The API said no; its words are the message."""

    def __init__(self, method: str, path: str, answer: Answer) -> None:
        super().__init__(f"{method} {path}: {answer.status} {told(answer)}")
        self.status, self.answer = answer.status, answer


class Unreachable(CloudError):
    """Nobody answered, however often we asked."""


@dataclass
class Client:
    """`renew` fetches a bearer token; `secrets` are those of the senders of webhooks.

    It may be shared by threads: each keeps one connection of its own.
    """

    url: str
    renew: Callable[[], str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    _token: str = ""
    _own: threading.local = field(default_factory=threading.local, repr=False)

    @classmethod
    def of(cls, cloud: Cloud) -> Self:
        found = access.outputs(cloud)
        secrets = access.sender_secrets(cloud, found)
        return cls(access.api_url(cloud, found), lambda: access.token(cloud, found), secrets)

    # --- as staff, with a token ----------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        asked = f"{path}?{urlencode(query, doseq=True)}" if query else path
        return self.staff("GET", asked)

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        """Every item of a list that comes in pages."""
        cursor: Json = {}
        while True:
            page = self.get(path, **query, **cursor)
            yield from page["items"]
            if not page.get("cursor"):
                return
            cursor = {"cursor": page["cursor"]}

    def put(self, path: str, body: Json) -> Any:
        return self.staff("PUT", path, body)

    def post(self, path: str, body: Json | None = None, *, key: str = "") -> Any:
        """`key` is the Idempotency-Key: the same question under it is answered once."""
        return self.staff("POST", path, body, {"Idempotency-Key": key} if key else {})

    def staff(
        self, method: str, path: str, body: Json | None = None, headers: Mapping[str, str] = NONE
    ) -> Any:
        octets = b"" if body is None else encoded(body)
        answer = self.ask(method, path, octets, {**headers, **self.authorization()})
        if answer.status == UNAUTHORIZED:
            self._token = ""
            answer = self.ask(method, path, octets, {**headers, **self.authorization()})
        return accepted(method, path, answer)

    def authorization(self) -> dict[str, str]:
        self._token = self._token or self.renew()
        return {"Authorization": f"Bearer {self._token}"}

    # --- as a sender of webhooks, with its signature -------------------------------------------

    def easypost(self, message: Json) -> Any:
        body = encoded(message)
        signed = {"X-Hmac-Signature": easypost.signature(body, self.secrets["easypost"])}
        return self.deliver("/carriers/easypost/webhooks", body, signed)

    def test_carrier(self, message: Json) -> Any:
        body = encoded(message)
        signed = {"Test-Signature": carrier.signature(body, self.secrets["test"])}
        return self.deliver("/carriers/test/webhooks", body, signed)

    def test_provider(self, message: Json) -> Any:
        body = encoded(message)
        signature = sandbox.signature(body, self.secrets["test"], int(time.time()))
        return self.deliver("/payments/test/webhooks", body, {"Test-Signature": signature})

    def shopify(self, order: Json, shop: str, topic: str = "orders/create") -> Any:
        body = encoded(order)
        signed = {
            "X-Shopify-Hmac-Sha256": shopify.signature(body, self.secrets["shopify"]),
            "X-Shopify-Shop-Domain": shop,
            "X-Shopify-Topic": topic,
        }
        return self.deliver("/channels/shopify/webhooks", body, signed)

    def deliver(self, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
        return accepted("POST", path, self.ask("POST", path, body, headers))

    # --- the wire ------------------------------------------------------------------------------

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = NONE
    ) -> Answer:
        """The answer, whatever it is; a busy or silent API is asked again for a while.

        Asking again is safe: every route answers the same question the same way.
        """
        answer: Answer | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(pause(attempt))
            answer = self.ask_once(method, path, body, headers)
            if answer is not None and answer.status not in BUSY:
                return answer
        if answer is None:
            raise Unreachable(f"{method} {path}: no answer from {self.url}")
        return answer

    def ask_once(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer | None:
        """None when the connection broke, before or after the API had read the question."""
        connection = self.connection()
        try:
            connection.request(
                method,
                urlsplit(self.url).path + path,
                body or None,
                {"Content-Type": JSON, **headers},
            )
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            return None

    def connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = connect(self.url)
        return self._own.connection  # type: ignore[no-any-return]


def connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=TIMEOUT)


def encoded(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def segment(text: str) -> str:
    """A piece of a path, whatever characters it has."""
    return quote(text, safe="")


def pause(attempt: int) -> float:
    """Seconds before the attempt (1, 2, …): anything up to a doubling bound."""
    return random.uniform(0, min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**attempt))


def accepted(method: str, path: str, answer: Answer) -> Any:
    if answer.status >= 400:
        raise Refusal(method, path, answer)
    return answer.json()


def told(answer: Answer) -> str:
    """Why, in the words of the problem that came back."""
    try:
        problem = answer.json()
        faults = "; ".join(f"{e['field']} {e['reason']}" for e in problem.get("errors", []))
        return faults or str(problem.get("detail") or problem.get("title") or problem)
    except (ValueError, AttributeError, KeyError):
        return answer.body[:200].decode(errors="replace")
