"""Messages to subscribers: signed so that the library of Standard Webhooks believes them, and sent
nowhere but to who was named."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.web import Https
from oms.adapters.webhook_sender import (
    LONGEST_EXCERPT,
    NO_ANSWER,
    NO_SECRET,
    REDIRECT,
    WebhookSender,
    cleaned,
    signed,
    wished,
)
from tests.fake_receiver import verifies

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OLD, NEW, OTHER = ("whsec_" + letter * 44 for letter in "abc")
Say = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def receiving(say: Say) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and what it got."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            said = {name.lower(): value for name, value in self.headers.items()}
            got.append({"path": self.path, "headers": said, "body": body})
            say(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        server.server_close()


def saying(status: int, body: bytes = b"", **headers: str) -> Say:
    def say(to: BaseHTTPRequestHandler) -> None:
        to.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            to.send_header(name.replace("_", "-"), value)
        to.end_headers()
        to.wfile.write(body)

    return say


@given(body=st.text().map(str.encode), secret=st.binary(min_size=1, max_size=64))
def test_the_library_believes_what_is_signed(body: bytes, secret: bytes) -> None:
    from base64 import b64encode

    named = "whsec_" + b64encode(secret).decode()
    headers = signed("msg_1", body, [named], AT)

    assert verifies(named, body, headers, AT + timedelta(minutes=4))
    assert not verifies(named, body + b"x", headers, AT)
    assert not verifies(named, body, headers | {"webhook-id": "msg_2"}, AT)
    assert not verifies(named, body, headers, AT + timedelta(minutes=6))


def test_who_knows_any_of_the_secrets_believes_it() -> None:
    headers = signed("msg_1", b"{}", [NEW, OLD], AT)

    assert verifies(NEW, b"{}", headers, AT)
    assert verifies(OLD, b"{}", headers, AT)
    assert not verifies(OTHER, b"{}", headers, AT)


def test_a_message_arrives_as_it_was_signed() -> None:
    body = '{"name":"Zoë ☃"}'.encode()
    with receiving(saying(204)) as (url, got):
        outcome = WebhookSender(Https(2, private=True)).send(f"{url}/in?a=b", "m", body, [NEW], AT)

    (message,) = got
    assert (outcome.attempt.status, outcome.attempt.error) == (204, "")
    assert message["path"] == "/in?a=b"
    assert message["body"] == body
    assert verifies(NEW, message["body"], message["headers"], AT)


def test_nobody_is_sent_anything_unsigned() -> None:
    with receiving(saying(204)) as (url, got):
        outcome = WebhookSender(Https(2, private=True)).send(url, "msg_1", b"{}", [], AT)

    assert (outcome.attempt.error, got) == (NO_SECRET, [])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
def test_a_private_address_is_not_sent_to(host: str) -> None:
    with receiving(saying(204)) as (url, got):
        port = url.rpartition(":")[2]
        outcome = WebhookSender(Https(2)).send(f"http://{host}:{port}/", "m", b"{}", [NEW], AT)

    assert (outcome.attempt.status, outcome.attempt.error, got) == (0, NO_ANSWER, [])


def test_a_name_that_turns_out_to_be_private_is_not_sent_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the name said when somebody looked before."""
    real = socket.getaddrinfo

    def rebound(host: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host == "hooks.example.com" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    with receiving(saying(204)) as (url, got):
        port = url.rpartition(":")[2]
        address = f"http://hooks.example.com:{port}/"
        outcome = WebhookSender(Https(2)).send(address, "m", b"{}", [NEW], AT)

    assert (outcome.attempt.error, got) == (NO_ANSWER, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(status: int) -> None:
    with (
        receiving(saying(204)) as (inside, secret_place),
        receiving(saying(status, location=f"{inside}/latest")) as (url, got),
    ):
        outcome = WebhookSender(Https(2, private=True)).send(url, "m", b"{}", [NEW], AT)

    assert (outcome.attempt.status, outcome.attempt.error) == (status, REDIRECT)
    assert (len(got), secret_place) == (1, [])


def test_of_an_answer_little_is_kept() -> None:
    with receiving(saying(500, b"x" * 100_000)) as (url, _):
        outcome = WebhookSender(Https(5, private=True)).send(url, "m", b"{}", [NEW], AT)

    assert outcome.attempt.error == "HTTP 500"
    assert outcome.attempt.excerpt == "x" * LONGEST_EXCERPT


def test_nothing_is_kept_of_an_answer_that_nobody_should_read() -> None:
    said = f"Ada <ada@example.com> +1 512 555 0100\n\x1b[31m{NEW} Bearer abc.def v1,AAAA= \xff"

    found = cleaned(said.encode("latin-1"), [NEW])

    assert found == "Ada <(e-mail)> +(number) [31m(secret) (secret) (secret)"


@given(st.binary(max_size=4_000))
def test_whatever_is_answered_can_be_shown(body: bytes) -> None:
    found = cleaned(body, [NEW])

    assert len(found) <= LONGEST_EXCERPT
    assert all(each >= " " for each in found)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999", 3600),
        ("999999999999999", 0),
        ("-5", 0),
        ("soon", 0),
        ("", 0),
        ("Mon, 02 Mar 2026 09:32:00 GMT", 120),
        ("Mon, 02 Mar 2026 09:00:00 GMT", 0),
        ("Mon, 02 Mar 2099 09:00:00 GMT", 3600),
        ("Mon, 02 Mar 99999999999 09:00:00 GMT", 0),
        ("Mon, 02 Mar 2026 09:00:00 +99999999999999999", 0),
    ],
)
def test_how_long_a_subscriber_asks_us_to_wait(said: str, seconds: int) -> None:
    assert wished({"retry-after": said}, AT) == timedelta(seconds=seconds)
