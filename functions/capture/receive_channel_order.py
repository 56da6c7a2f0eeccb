"""`POST /channels/{channel}/webhooks`: what sales channels say of their orders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.capture.intake import NEEDS, NotUnderstood, intake, problem_of
from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import Channel
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.secrets import Secrets, secrets
from oms.adapters.webhooks import Call
from oms.contracts.api.views import Received

ENVIRONMENT: tuple[str, ...] = NEEDS

app = HttpApi("ReceiveChannelOrder")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/channels/{channel}/webhooks")
def receive(request: Request) -> Received:
    at = datetime.now(UTC)
    query = {name: values[0] for name, values in request.query.items()}
    call = Call(request.body, request.headers, query, request.url, at)
    channel = verified(call, request.path["channel"], secrets())
    try:
        done = intake().take(channel, call, at)
    except NotUnderstood as refused:
        raise problem_of(refused) from None
    return Received(done.outcome, done.order_id, done.why)


def verified(call: Call, code: str, known: Secrets) -> Channel:
    channel = CHANNELS.get(code)
    if channel is None:
        raise Problem(404, "Not found", "there is no such channel")
    believed = known.of_shop(code, channel.shop(call))
    if not any(channel.verify(call, secret) for secret in believed):
        raise Problem(401, "Bad signature", "the signature is not the channel's")
    return channel
