"""localstripe, and what it lacks: `python -m tests.stripe_server PORT`.

localstripe 1.15 knows no idempotency keys, no list of a customer's intents and no search, no
metadata on a capture, no `setup_future_usage`, no amounts of an intent but the one asked for, and
it captures twice. Here it does as Stripe's reference says. It lacks disputes, refunds that fail
and limits on amounts as well: for those see tests/stripe_wire.py.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from aiohttp import web
from localstripe import resources
from localstripe.errors import UserError
from localstripe.resources import List, PaymentIntent, Refund, Store

KEPT: dict[str, tuple[str, int, bytes]] = {}  # idempotency key -> request, status, answer
PlainIntent = PaymentIntent._api_create
PlainCapture = PaymentIntent._api_capture


@web.middleware
async def once(request: Any, handler: Any) -> Any:
    """The same key, the same answer; the same key for another request is an error."""
    key = request.headers.get("Idempotency-Key", "")
    if request.method != "POST" or not key:
        return await handler(request)
    asked = f"{request.path}?{(await request.read()).decode()}"
    if key in KEPT:
        known, status, body = KEPT[key]
        if known == asked:
            return web.Response(status=status, body=body, content_type="application/json")
        error = {"type": "idempotency_error", "message": "the key was used for another request"}
        return web.json_response({"error": error}, status=400)
    answer = await handler(request)
    if answer.status < 500:
        KEPT[key] = (asked, answer.status, answer.body)
    return answer


def create(setup_future_usage: str | None = None, **data: Any) -> Any:
    intent = PlainIntent(**data)
    intent.setup_future_usage = setup_future_usage
    return intent


def capture(id: str, metadata: Any = None, **data: Any) -> Any:  # noqa: A002
    intent = PaymentIntent._api_retrieve(id)
    if intent.status != "requires_capture":
        raise UserError(400, "moved on", {"code": "payment_intent_unexpected_state"})
    intent.amount_received = int(data.get("amount_to_capture", intent.amount))
    PlainCapture(id, **data)
    intent.metadata = {**intent.metadata, **(metadata or {})}
    return intent


def listed(url: str, customer: str | None = None, limit: Any = None, **more: Any) -> Any:
    found = List(url, limit=limit, **more)
    found._list = [it for it in intents() if it.customer == customer]
    return found


def searched(query: str = "", **more: Any) -> Any:
    name, value = re.fullmatch(r"metadata\['(\w+)'\]:'(\w+)'", query).groups()  # type: ignore[union-attr]
    found = List("/v1/payment_intents/search")
    found._list = [it for it in intents() if it.metadata.get(name) == value]
    return found


def intents() -> list[Any]:
    return [it for name, it in resources.store.items() if name.startswith("payment_intent:")]


def received(intent: Any) -> int:
    taken = vars(intent).get("_received")
    if taken is not None:
        return int(taken)
    return intent.amount if intent.status == "succeeded" else 0


def refund(**data: Any) -> Any:
    """Not more than was taken."""
    intent = PaymentIntent._api_retrieve(data["payment_intent"])
    if int(data["amount"]) + refunded(intent) > intent.amount_received:
        raise UserError(400, "too much", {"code": "charge_already_refunded"})
    return Refund(**data)


def refunded(intent: Any) -> int:
    """localstripe books what a capture has left over as a refund, too: that is not asked for."""
    found = (it for name, it in resources.store.items() if name.startswith("refund:"))
    charge = intent.latest_charge.id
    return sum(it.amount for it in found if it.charge == charge and it.metadata)


def main(port: int) -> None:
    Store.dump_to_disk = lambda self: None
    PaymentIntent._api_create = create
    PaymentIntent._api_list_all = listed
    PaymentIntent.amount_received = property(received, lambda it, n: vars(it).update(_received=n))
    Refund._api_create = refund
    replaced = ("POST", "/v1/payment_intents/{id}/capture", capture)
    others = [it for it in resources.extra_apis if it[1] != replaced[1]]
    search = ("GET", "/v1/payment_intents/search", searched)
    resources.extra_apis[:] = [*others, replaced, search]
    from localstripe.server import app  # builds its routes of what it finds

    app._middlewares.insert(0, once)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
