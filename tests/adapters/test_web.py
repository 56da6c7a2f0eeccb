"""Other systems, asked by addresses that people put in: what they answer is bounded, and nobody is
asked who is not in the public network."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oms.adapters import web as web_module
from oms.adapters.public_addresses import is_public
from oms.adapters.web import MAX_ANSWER, Https, Unreachable, web

Say = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def served(say: Say) -> Iterator[tuple[str, list[str]]]:
    """Its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            say(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def saying(body: bytes, **headers: str) -> Say:
    def say(to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            to.send_header(name.replace("_", "-"), value)
        to.end_headers()
        to.wfile.write(body)

    return say


def test_a_private_address_is_not_asked() -> None:
    with served(saying(b"{}")) as (address, asked):
        with pytest.raises(Unreachable):
            Https(2).call("GET", f"{address}/secret")
        assert Https(2, private=True).call("GET", f"{address}/stand").body == b"{}"

    assert asked == ["/stand"]


def test_only_on_the_embedded_cloud_are_stands_on_this_machine_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served(saying(b"{}")) as (address, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        web.cache_clear()
        assert web().call("GET", address).status == 200

        monkeypatch.delenv("AWS_ENDPOINT_URL")
        web.cache_clear()
        with pytest.raises(Unreachable):
            web().call("GET", address)
    web.cache_clear()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "::1", "fe80::1%eth0", "fd00:ec2::254", "::ffff:10.0.0.1", "224.0.0.1"),
        *("64:ff9b::a00:1", "2002:7f00:1::1", "64:ff9b::a9fe:a9fe"),
    ],
)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(address)
    assert is_public("93.184.215.14")
    assert is_public("64:ff9b::5db8:d70e")


def test_a_packed_answer_is_unpacked() -> None:
    for body, packing in (
        (gzip.compress(b"[1]", mtime=0), "gzip"),
        (zlib.compress(b"[1]"), "deflate"),
    ):
        with served(saying(body, content_encoding=packing)) as (address, _):
            assert Https(2, private=True).call("GET", address).json() == [1]


@pytest.mark.parametrize(
    ("body", "packing"),
    [
        (gzip.compress(bytes(MAX_ANSWER + 1), mtime=0), "gzip"),
        (gzip.compress(b"[1]", mtime=0)[:-4], "gzip"),
        (b"[1]", "gzip"),
        (b"[1]", "br"),
        (bytes(MAX_ANSWER + 1), "identity"),
    ],
)
def test_an_answer_that_is_too_long_or_cannot_be_unpacked_is_none(
    body: bytes, packing: str
) -> None:
    with (
        served(saying(body, content_encoding=packing)) as (address, _),
        pytest.raises(Unreachable),
    ):
        Https(5, private=True).call("GET", address)


def test_an_answer_that_comes_in_drops_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.end_headers()
        for _ in range(3):
            to.wfile.write(b" ")
            to.wfile.flush()

    times = iter([0.0, 21.0, 22.0, 23.0])
    monkeypatch.setattr(web_module, "monotonic", lambda: next(times))
    with served(drip) as (address, _), pytest.raises(Unreachable):
        Https(20, private=True).call("GET", address)


@pytest.mark.parametrize("value", ["key\nx-other: 1", "ключ"])
def test_a_credential_that_no_header_can_hold_is_told_by_nobody(value: str) -> None:
    with (
        served(saying(b"{}")) as (address, asked),
        pytest.raises(Unreachable) as told,
    ):
        Https(2, private=True).call("GET", address, headers={"authorization": value})

    assert value not in str(told.value)
    assert asked == []
