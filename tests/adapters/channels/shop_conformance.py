"""What every adapter to a shop's API shows, against a fake of that shop on 127.0.0.1.

Inherit `ShopConformance` in a class `TestX…` and give it `shop_of`, which makes the fake: a
`FakeShop` that knows one paid order of three units in one line, checks every request against what
the platform has published (what it finds wrong goes to `complaints`), and puts each change of its
state into `effects`.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import strategies as st

from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    MalformedOrder,
    Refunded,
    Units,
    Updated,
)
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    ShopApi,
    Stocked,
)
from oms.adapters.web import Answer, Https, Unreachable, Web
from oms.contracts.invalid import InvalidRequest
from oms.domain import commands as c
from oms.domain.channel_orders import GivenUp, Heard, matching
from oms.domain.decide import decide
from oms.domain.decide.deciding import after, facts
from oms.domain.decide.placing import place
from oms.domain.payment import OperationKind
from tests.builders import line, placement

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """A request as it came in; `query` has the last value of each name."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body, parse_float=str)


class Lost:
    """What was asked is done, and its answer does not arrive."""


class Dead:
    """Nobody is there: nothing is done and nothing answered."""


Fault = Answer | type[Lost] | type[Dead]


class FakeShop:
    """Answers one request at a time. `secrets` may appear in no error; `faults` come instead of the
    next answers, None lets one through."""

    api: ShopApi
    secrets: tuple[str, ...] = ("s3cr3t-of-the-shop",)
    currency = "USD"
    order_id = "1001"
    line_id = "2001"
    sku = "MUG"
    location = "main"

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.complaints: list[str] = []
        self.effects: list[Any] = []
        self.faults: deque[Fault | None] = deque()
        self._one_at_a_time = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def access(self) -> Access:
        raise NotImplementedError

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def throttled(self, seconds: int) -> Answer:
        """How this platform says that it is asked too much, for so many seconds."""
        return Answer(429, {"retry-after": str(seconds)}, b"{}")

    def at_most(self, patience: float = 2.0) -> Https:
        return Https(patience, private=True)

    def expect(self, right: bool, complaint: str) -> None:
        if not right:
            self.complaints.append(complaint)

    def _answered(self, asked: Asked) -> Answer | None:
        with self._one_at_a_time:
            self.asked.append(asked)
            fault = self.faults.popleft() if self.faults else None
            if isinstance(fault, Answer):
                return fault
            found = None if fault is Dead else self.answer(asked)
            return None if fault is Lost else found

    def _handler(fake) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                split = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {k.lower(): v for k, v in self.headers.items()}
                query = dict(parse_qsl(split.query, keep_blank_values=True))
                found = fake._answered(Asked(self.command, split.path, query, headers, body))
                self.close_connection = True
                if found is not None:
                    self._say(found)

            def _say(self, found: Answer) -> None:
                self.send_response(found.status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(found.body)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(found.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def saying(status: int, said: Any = None, **headers: str) -> Answer:
    """An answer in JSON."""
    body = json.dumps({} if said is None else said).encode()
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return Answer(status, {"content-type": "application/json", **named}, body)


class Deed(Protocol):
    def __call__(self, shop: FakeShop, *, access: Access | None = None) -> str: ...


def shipped(
    shop: FakeShop, key: str = "key-ship", units: int = 2, *, access: Access | None = None
) -> str:
    of = (Units(units, shop.line_id, shop.sku),)
    url = "https://track.example/1Z999"
    done = Shipped(key, shop.order_id, of, "ups", "1Z999", url, shop.location, AT)
    return shop.api.ship(access or shop.access(), done)


def called_off(shop: FakeShop, key: str = "key-off", *, access: Access | None = None) -> str:
    done = CalledOff(key, shop.order_id, (), "customer", True, AT)
    return shop.api.call_off(access or shop.access(), done)


def units_called_off(
    shop: FakeShop, key: str = "key-units", *, access: Access | None = None
) -> str:
    of = (Units(1, shop.line_id, shop.sku),)
    done = CalledOff(key, shop.order_id, of, "out of stock", False, AT)
    return shop.api.call_off(access or shop.access(), done)


def given_back(shop: FakeShop, key: str = "key-back", *, access: Access | None = None) -> str:
    of = (Units(1, shop.line_id, shop.sku),)
    done = GivenBack(key, shop.order_id, 500, shop.currency, of, "damaged", AT)
    return shop.api.give_back(access or shop.access(), done)


def in_the_books(shop: FakeShop) -> int:
    """What is given back of the order after the shop was asked, where we gave back 500 and tell it
    of that: in minor units."""
    placed = placement(line(1, quantity=3), provider="external", captured=3_000)
    order = facts("ord_1", None, place(placed), AT, "channel")[1]
    order = after(order, *decide(c.GrantRefund(500, "damaged"), order))
    heard = Heard()
    for said in shop.api.fetch(shop.access(), "order", shop.order_id):
        assert not isinstance(said, Cancelled)
        if isinstance(said, Refunded):
            assert said.currency == shop.currency
            heard = heard.refunding(GivenUp(said.refund_id, (), said.amount))
    ours = matching(order, heard, tells=True).ours
    follow = c.FollowChannel("there", "channel", refunded=heard.refunded, ours=ours)
    return after(order, *decide(follow, order)).payment.committed(OperationKind.REFUND)


def stocked(shop: FakeShop, key: str = "key-stock", *, access: Access | None = None) -> str:
    return shop.api.set_stock(access or shop.access(), [Stocked(shop.sku, 7, shop.location)], key)


DEEDS: dict[str, Deed] = {
    "ship": shipped,
    "call_off": called_off,
    "call_off_units": units_called_off,
    "give_back": given_back,
    "set_stock": stocked,
}


def told(error: BaseException | None) -> str:
    """All that a log could show of an error."""
    said = ""
    while error is not None:
        said += f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=3,
)


class Replay:
    """A shop that answers as another one did, but for one place in one answer."""

    def __init__(self, answers: list[Answer], data: st.DataObject) -> None:
        self.answers, self.data = list(answers), data
        self.broken = data.draw(st.integers(0, len(answers) - 1))

    def call(self, *_: Any, **__: Any) -> Answer:
        if not self.answers:
            raise Unreachable("nothing more was said")
        found, self.broken = self.answers.pop(0), self.broken - 1
        return found if self.broken != -1 else self._otherwise(found)

    def _otherwise(self, answer: Answer) -> Answer:
        said = json.loads(answer.body)
        if places := list(containers(said)):
            place = self.data.draw(st.sampled_from(places))
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            place[self.data.draw(st.sampled_from(keys))] = self.data.draw(JSON)
        return saying(answer.status, said)


def containers(found: Any) -> Iterator[Any]:
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    if inner:
        yield found
    for each in inner:
        yield from containers(each)


def recorded(shop_of: Callable[[], FakeShop], deeds: Iterable[str]) -> dict[str, list[Answer]]:
    """What a shop answers to each deed, and to what is asked of it."""
    heard = {}
    for deed in (*deeds, "fetch", "changed"):
        shop = shop_of()
        heard[deed] = list[Answer]()
        _do(deed, shop, Recorder(shop.access().web, heard[deed]))
        shop.close()
    return heard


def surprised(shop: FakeShop, heard: dict[str, list[Answer]], data: st.DataObject) -> None:
    """Whatever a shop answers, its adapter says Later or RefusedByShop, and of an order that cannot
    be read what the channel says of one: anything else is raised here."""
    deed = data.draw(st.sampled_from(sorted(heard)))
    allowed: tuple[type[Exception], ...] = (Later, RefusedByShop)
    if deed in ("fetch", "changed"):
        allowed += (MalformedOrder, InvalidRequest)
    with suppress(*allowed):
        _do(deed, shop, Replay(heard[deed], data))


def _do(deed: str, shop: FakeShop, web: Web) -> None:
    access = replace(shop.access(), web=web)
    if deed == "fetch":
        shop.api.fetch(access, "order", shop.order_id)
    elif deed == "changed":
        shop.api.changed(access, AT, "")
    else:
        DEEDS[deed](shop, access=access)


class Recorder:
    def __init__(self, web: Web, heard: list[Answer]) -> None:
        self.web, self.heard = web, heard

    def call(self, *said: Any, **more: Any) -> Answer:
        self.heard.append(self.web.call(*said, **more))
        return self.heard[-1]


class ShopConformance:
    deeds: tuple[str, ...] = tuple(DEEDS)
    refusals: tuple[int, ...] = (401, 403, 422)

    def shop_of(self) -> FakeShop:
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "deed" in metafunc.fixturenames:
            metafunc.parametrize("deed", self.deeds)
        if "status" in metafunc.fixturenames and "refused" in metafunc.function.__name__:
            metafunc.parametrize("status", self.refusals)

    @pytest.fixture
    def shop(self) -> Iterator[FakeShop]:
        shop = self.shop_of()
        yield shop
        shop.close()
        assert shop.complaints == []

    def test_a_deed_is_done(self, shop: FakeShop, deed: str) -> None:
        DEEDS[deed](shop)

        assert shop.effects

    def test_the_same_key_twice_is_one_effect(self, shop: FakeShop, deed: str) -> None:
        first = DEEDS[deed](shop)
        done = list(shop.effects)

        assert DEEDS[deed](shop) == first
        assert shop.effects == done

    def test_an_answer_that_is_lost_at_any_call_is_no_second_effect(
        self, shop: FakeShop, deed: str
    ) -> None:
        DEEDS[deed](shop)
        once, calls = list(shop.effects), len(shop.asked)

        for lost in range(calls):
            again = self.shop_of()
            again.faults.extend([None] * lost + [Lost])
            with pytest.raises(Later):
                DEEDS[deed](again)
            DEEDS[deed](again)
            again.close()
            assert (again.effects, again.complaints) == (once, []), f"lost call {lost}"

    def test_too_many_calls_are_later_after_the_delay_that_is_asked_for(
        self, shop: FakeShop, deed: str
    ) -> None:
        shop.faults.append(shop.throttled(7))
        with pytest.raises(Later) as raised:
            DEEDS[deed](shop)

        assert raised.value.after_seconds >= 7
        assert shop.effects == []

    @pytest.mark.parametrize("fault", [saying(500), saying(502), saying(503), Dead])
    def test_an_outage_is_later(self, shop: FakeShop, deed: str, fault: Fault) -> None:
        shop.faults.append(fault)
        with pytest.raises(Later):
            DEEDS[deed](shop)

    def test_an_answer_that_cannot_be_read_is_later(self, shop: FakeShop, deed: str) -> None:
        shop.faults.append(Answer(200, {}, b"<html>not what was asked for"))
        with pytest.raises(Later):
            DEEDS[deed](shop)

    def test_a_definite_answer_is_refused(self, shop: FakeShop, deed: str, status: int) -> None:
        shop.faults.append(saying(status, {"message": "no"}))
        with pytest.raises(RefusedByShop):
            DEEDS[deed](shop)

        assert shop.effects == []

    def test_no_error_tells_a_secret(self, shop: FakeShop, deed: str) -> None:
        leak = " ".join(shop.secrets)
        said = {"message": leak, "errors": leak, "error": leak, "code": leak}
        for fault in (saying(401, said), saying(429, said), saying(500, said), Dead):
            shop.faults.append(fault)
            with pytest.raises((Later, RefusedByShop)) as raised:
                DEEDS[deed](shop)
            for secret in shop.secrets:
                assert secret not in told(raised.value)

    def test_an_order_is_fetched_and_adds_up(self, shop: FakeShop) -> None:
        found = shop.api.fetch(shop.access(), "order", shop.order_id)

        (updated,) = [each for each in found if isinstance(each, Updated)]
        assert updated.order.external_id == shop.order_id
        assert updated.order.sum_of_parts == updated.order.total
        assert sum(line.quantity for line in updated.order.lines) == 3

    def test_what_was_done_is_fetched_as_it_is(self, shop: FakeShop) -> None:
        if "call_off" in self.deeds:
            called_off(shop)

            found = shop.api.fetch(shop.access(), "order", shop.order_id)
            assert any(isinstance(each, Cancelled) for each in found)

    def test_changes_come_page_by_page_to_an_end(self, shop: FakeShop) -> None:
        cursor, seen = "", set()
        for _ in range(10):
            page = shop.api.changed(shop.access(), AT, cursor)
            for each in page.said:
                if isinstance(each, Fetch):
                    seen.add(each.external_id)
                elif isinstance(each, Updated):
                    seen.add(each.order.external_id)
            if not (cursor := page.cursor):
                break

        assert not cursor
        assert shop.order_id in seen

    def test_what_was_lost_on_the_way_in_is_later(self, shop: FakeShop) -> None:
        shop.faults.extend([saying(503), shop.throttled(9)])
        with pytest.raises(Later):
            shop.api.fetch(shop.access(), "order", shop.order_id)
        with pytest.raises(Later) as raised:
            shop.api.changed(shop.access(), AT, "")

        assert raised.value.after_seconds >= 9
