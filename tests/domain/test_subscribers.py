"""When a subscriber is tried again, and where none may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.subscriber_urls import why_no_address
from oms.domain.subscribers import (
    LONGEST_REST,
    MOST_ATTEMPTS,
    OPEN_AFTER,
    PAUSES,
    TRIED_FOR,
    Attempt,
    Delivery,
    DeliveryState,
    Health,
    Subscriber,
    Verdict,
    next_try,
    verdict,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DELIVERY = Delivery("sub_a", "ord_1#000001", "OrderPlaced", AT, AT, AT)
LOCAL = frozenset({"http", "https"})

PUBLIC = [
    "https://hooks.example.com/in",
    "https://hooks.example.com:8443/in?token=abc",
    "https://93.184.216.34/in",
    "https://[2606:2800:220:1:248:1893:25c8:1946]/in",
    "https://xn--bcher-kva.example/in",
]
HOSTILE = {
    "http://hooks.example.com/in": "does not begin with https://",
    "ftp://hooks.example.com/in": "does not begin with https://",
    "file:///etc/passwd": "does not begin with https://",
    "https:///in": "names no host",
    "hooks.example.com/in": "does not begin with https://",
    "https://localhost/in": "names no public host",
    "https://LOCALHOST./in": "names no public host",
    "https://api.localhost/in": "names no public host",
    "https://printer.local/in": "names no public host",
    "https://db.internal/in": "names no public host",
    "https://metadata.google.internal/in": "names no public host",
    "https://router.home.arpa/in": "names no public host",
    "https://intranet/in": "names no public host",
    "https://127.0.0.1/in": "is no public address",
    "https://127.1/in": "is no public address",
    "https://0/in": "is no public address",
    "https://0.0.0.0/in": "is no public address",
    "https://2130706433/in": "is no public address",
    "https://0x7f000001/in": "is no public address",
    "https://0x7f.1/in": "is no public address",
    "https://0177.0.0.1/in": "is no public address",
    "https://017700000001/in": "is no public address",
    "https://2852039166/latest": "is no public address",
    "https://169.254.169.254/latest": "is no public address",
    "https://169.254.170.2/v2": "is no public address",
    "https://10.0.0.1/in": "is no public address",
    "https://172.16.0.1/in": "is no public address",
    "https://192.168.1.1/in": "is no public address",
    "https://100.64.0.1/in": "is no public address",
    "https://224.0.0.1/in": "is no public address",
    "https://255.255.255.255/in": "is no public address",
    "https://[::1]/in": "is no public address",
    "https://[::]/in": "is no public address",
    "https://[fe80::1]/in": "is no public address",
    "https://[fe80::1%25eth0]/in": "is no public address",
    "https://[fc00::1]/in": "is no public address",
    "https://[fd00:ec2::254]/latest": "is no public address",
    "https://[::ffff:127.0.0.1]/in": "is no public address",
    "https://[::ffff:a9fe:a9fe]/in": "is no public address",
    "https://[2002:7f00:1::]/in": "is no public address",
    "https://[64:ff9b::7f00:1]/in": "is no public address",
    "https://user@hooks.example.com/in": "names a user",
    "https://user:secret@hooks.example.com/in": "names a user",
    "https://hooks.example.com@127.0.0.1/in": "names a user",
    "https://@hooks.example.com/in": "names a user",
    "https://hooks.example.com/in#part": "has a fragment",
    "https://hooks.example.com:22/in": "has a port",
    "https://hooks.example.com:0/in": "has a port",
    "https://hooks.example.com:99999/in": "is no URL",
    "https://hooks.example.com:x/in": "is no URL",
    "https://[::1/in": "is no URL",
    "https://hooks.example.com\\@127.0.0.1/in": "is no URL",
    "https://hooks.example.com/in\r\nx: y": "is no URL",
    "https://hooks example.com/in": "is no URL",
    "https://bücher.example/in": "is no URL",
    "https://hooks.example.com/" + "a" * 2_000: "is no URL",
}


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_address_by_https_is_taken(url: str) -> None:
    assert why_no_address(url) == ""


@pytest.mark.parametrize("url", HOSTILE)
def test_no_other_address_is(url: str) -> None:
    assert HOSTILE[url] in why_no_address(url)


def test_on_the_embedded_cloud_a_stand_on_this_machine_is_taken_and_no_user_or_file() -> None:
    assert why_no_address("http://127.0.0.1:4001/in", LOCAL) == ""
    assert why_no_address("http://localhost:4001/in", LOCAL) == ""
    assert why_no_address("http://u:p@127.0.0.1:4001/in", LOCAL) == "names a user"
    assert why_no_address("file:///etc/passwd", LOCAL)


@given(st.text(max_size=60).map("https://{}".format))
def test_whatever_is_given_is_answered(url: str) -> None:
    assert isinstance(why_no_address(url), str)


@given(
    st.integers(0, 12),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 96 * 3600),
    st.integers(0, 3600),
)
def test_another_try_is_later_and_within_three_days(
    tries: int, jitter: float, seconds: int, wished: int
) -> None:
    now = AT + timedelta(seconds=seconds)
    due = next_try(replace(DELIVERY, tries=tries), now, jitter, timedelta(seconds=wished))

    if due is None:
        assert tries >= len(PAUSES) or now >= AT + TRIED_FOR
    else:
        assert now < due <= AT + TRIED_FOR
        assert due == AT + TRIED_FOR or due - now >= timedelta(seconds=wished)


@given(st.floats(0, 1, exclude_max=True))
def test_the_tries_last_three_days_whatever_their_jitter(jitter: float) -> None:
    now, found = AT, DELIVERY
    while (due := next_try(found, now, jitter)) is not None:
        now, found = due, found.failed(Attempt(now), due)

    assert now == AT + TRIED_FOR or found.tries == len(PAUSES)
    assert now - AT > timedelta(days=2, hours=18)
    assert found.failed(Attempt(now), None).state is DeliveryState.DEAD


@given(st.integers(1, 100))
def test_the_rest_grows_with_the_failures_up_to_an_hour(failures: int) -> None:
    one, more = Health(failures, AT), Health(failures + 1, AT)

    assert timedelta() <= one.rest <= more.rest <= LONGEST_REST
    assert bool(one.rest) == (failures >= OPEN_AFTER)


def test_the_first_of_the_failures_is_remembered() -> None:
    health = Health().failed(AT).failed(AT + timedelta(hours=1))

    assert health == Health(2, AT)


def test_an_id_is_the_same_for_the_same_event_and_subscriber_alone() -> None:
    ids = {
        DELIVERY.message_id,
        DELIVERY.again(AT + timedelta(days=1), "rpl_1").message_id,
        replace(DELIVERY, tries=3, since=AT + timedelta(1)).message_id,
    }

    assert len(ids) == 1
    assert replace(DELIVERY, subscriber_id="sub_b").message_id not in ids
    assert replace(DELIVERY, event_id="ord_1#000002").message_id not in ids
    assert DELIVERY.delivery_id == replace(DELIVERY, subscriber_id="sub_b").delivery_id
    later = replace(DELIVERY, at=AT + timedelta(microseconds=1))
    assert DELIVERY.delivery_id < later.delivery_id


def test_a_delivery_remembers_its_last_attempts() -> None:
    found = DELIVERY
    for number in range(20):
        found = found.failed(Attempt(AT, number), AT)

    assert len(found.attempts) == MOST_ATTEMPTS
    assert found.attempts[-1].status == 19


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, Verdict.ACCEPTED),
        (204, Verdict.ACCEPTED),
        (0, Verdict.REFUSED),
        (302, Verdict.REFUSED),
        (410, Verdict.GONE),
        (429, Verdict.BUSY),
        (500, Verdict.REFUSED),
        (503, Verdict.BUSY),
    ],
)
def test_an_answer_says(status: int, said: Verdict) -> None:
    assert verdict(status) is said


def test_without_types_a_subscriber_wants_all() -> None:
    every = Subscriber("sub_a", "https://x.example", AT, AT)

    assert every.wants("OrderPlaced")
    assert not replace(every, types=("OrderCancelled",)).wants("OrderPlaced")
