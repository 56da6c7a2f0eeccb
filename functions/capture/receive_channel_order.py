"""`/channels/{channel}/webhooks`: what sales channels say of their orders (POST), and their
question whether anybody expects them here (GET)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.capture.intake import IGNORED, NEEDS, NotUnderstood, intake, problem_of
from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import Channel, Expects, Pings, Shakes
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.secrets import Secrets, secrets
from oms.adapters.webhooks import Call
from oms.contracts.api.views import Received

ENVIRONMENT: tuple[str, ...] = NEEDS
PLAIN = {"content-type": "text/plain", "x-content-type-options": "nosniff"}

app = HttpApi("ReceiveChannelOrder")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/channels/{channel}/webhooks")
def receive(request: Request) -> Response:
    at = datetime.now(UTC)
    call, channel = call_of(request, at), channel_of(request)
    if isinstance(channel, Pings) and channel.is_ping(call):
        return Response(body=Received(IGNORED, ignored="a ping"))
    verified(call, channel, secrets())
    expected = channel.answer(call) if isinstance(channel, Expects) else None
    try:
        done = intake().take(channel, call, at)
    except NotUnderstood as refused:
        if expected and refused.message_id:  # it is kept: nobody who buys there is held up by it
            return Response(body=expected)
        raise problem_of(refused) from None
    return Response(body=expected or Received(done.outcome, done.order_id, done.why))


@app.route("GET", "/channels/{channel}/webhooks")
def shake(request: Request) -> Response:
    call, channel = call_of(request, datetime.now(UTC)), channel_of(request)
    if isinstance(channel, Shakes):
        token = secrets().handshake(channel.code, channel.shop(call))
        if answer := channel.shake(call, token):
            return Response(body=answer, headers=PLAIN if isinstance(answer, str) else {})
    raise Problem(404, "Not found", "nothing was asked that has an answer here")


def call_of(request: Request, at: datetime) -> Call:
    query = {name: values[0] for name, values in request.query.items()}
    return Call(request.body, request.headers, query, request.url, at)


def channel_of(request: Request) -> Channel:
    channel = CHANNELS.get(request.path["channel"])
    if channel is None:
        raise Problem(404, "Not found", "there is no such channel")
    return channel


def verified(call: Call, channel: Channel, known: Secrets) -> None:
    believed = known.of_shop(channel.code, channel.shop(call))
    if not any(channel.verify(call, secret) for secret in believed):
        raise Problem(401, "Bad signature", "the signature is not the channel's")
