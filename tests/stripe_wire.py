"""What localstripe cannot do: answers of Stripe that a test writes, and what was asked for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from oms.adapters.payments.stripe import Stripe

Answer = tuple[int, dict[str, Any]]


@dataclass
class Wire(stripe.HTTPClient):  # type: ignore[misc]
    """`answers`: by method and path, as lists of status and body: the last one is repeated.

    An answer that is an exception is raised, as when the connection breaks.
    """

    answers: Mapping[str, list[Answer | Exception]]
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    name = "wire"

    def __post_init__(self) -> None:
        super().__init__()

    def request(
        self, method: str, url: str, headers: Any, post_data: Any = None, **more: Any
    ) -> tuple[str, int, dict[str, str]]:
        path = urlsplit(url).path.removeprefix("/v1")
        sent = dict(parse_qsl(post_data or urlsplit(url).query))
        said = self.answers[f"{method.upper()} {path}"]
        self.asked.append((f"{method.upper()} {path}", sent, headers.get("Idempotency-Key", "")))
        answer = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer[1]), answer[0], {}

    @property
    def provider(self) -> Stripe:
        connection = stripe.StripeClient("sk_test_wire", http_client=self, max_network_retries=0)
        return Stripe(lambda: connection)


def intent(status: str = "requires_capture", **more: Any) -> dict[str, Any]:
    return {
        "object": "payment_intent",
        "id": "pi_1",
        "amount": 5000,
        "amount_received": 5000 if status == "succeeded" else 0,
        "capture_method": "manual",
        "created": 1772366400,
        "currency": "usd",
        "customer": "cus_1",
        "latest_charge": None,
        "metadata": {"order_id": "ord_1", "operation": "k1"},
        "payment_method": "pm_1",
        "status": status,
        **more,
    }


def listed(*things: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(things), "has_more": False, "url": "/v1/x"}


def refund(status: str = "succeeded", **more: Any) -> dict[str, Any]:
    return {
        "object": "refund",
        "id": "re_1",
        "amount": 5000,
        "currency": "usd",
        "payment_intent": "pi_1",
        "status": status,
        "metadata": {"order_id": "ord_1", "operation": "k9", "total": "5000"},
        **more,
    }


def error(status: int, kind: str, code: str = "", **more: Any) -> Answer:
    return status, {"error": {"type": kind, "code": code, "message": "…", **more}}


CUSTOMER: Answer = (200, {"object": "customer", "id": "cus_1"})
