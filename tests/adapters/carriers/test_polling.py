"""Carriers as they are asked: each with its own address, words and credentials."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.polling import ASKED, NotAnswered, Tokens, poll
from oms.adapters.web import Answer, Unreachable
from oms.contracts.api.tracking_policy import POLLED
from oms.domain.tracking import TrackingStatus

CREDENTIALS = {
    "client_id": "us",
    "client_secret": "hush",
    "api_key": "key",
    "username": "us",
    "password": "word",
    "account_number": "77",
    "base_url": "https://carrier.example/",
}
SECRETS = ("hush", "word")


@dataclass
class Asked:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Line:
    """Answers in turn; tokens are given to whoever asks for one."""

    answers: list[Answer | Exception] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    tokens: int = 0

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        if "token" in url:
            self.tokens += 1
            said = {"access_token": f"token-{self.tokens}", "expires_in": 600}
            return Answer(200, {}, json.dumps(said).encode())
        self.asked.append(Asked(method, url, headers or {}, body or b""))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(said: Any) -> Answer:
    return Answer(200, {}, said if isinstance(said, bytes) else json.dumps(said).encode())


DHL = {
    "shipments": [
        {
            "id": "1Z",
            "service": "express",
            "status": {"timestamp": "2026-03-02T09:30:00+01:00", "statusCode": "transit"},
            "events": [{"timestamp": "2026-03-02T09:30:00+01:00", "statusCode": "transit"}],
        }
    ]
}


def test_whoever_can_be_asked_may_be_named_in_the_policy_and_nobody_else() -> None:
    assert set(ASKED) == POLLED
    assert set(CARRIERS) >= POLLED


@pytest.mark.parametrize("carrier", sorted(ASKED))
def test_each_carrier_is_asked_for_the_number_with_our_credentials(carrier: str) -> None:
    line = Line([Answer(404)])

    assert poll(carrier, "AB 1/2", CREDENTIALS, line, Tokens()) == ()

    (asked,) = line.asked
    assert asked.url.startswith("https://carrier.example/")
    assert "AB%201%2F2" in asked.url or "AB+1%2F2" in asked.url or b"AB 1/2" in asked.body
    assert not any(secret in asked.url for secret in SECRETS)
    said = " ".join(asked.headers.values())
    pairs = (base64.b64encode(pair).decode() for pair in (b"us:word", b"key:word", b"key:"))
    assert any(each in said for each in ("token-1", "hush", "key", *pairs))


@pytest.mark.parametrize("carrier", sorted(ASKED))
@pytest.mark.parametrize("trouble", [Answer(429), Answer(500), Answer(403), Unreachable("gone")])
def test_what_is_no_answer_is_asked_again_and_tells_no_secret(
    carrier: str, trouble: Answer | Exception
) -> None:
    with pytest.raises(NotAnswered) as refused:
        poll(carrier, "AB12", CREDENTIALS, Line([trouble]), Tokens())

    assert not any(secret in str(refused.value) for secret in (*SECRETS, "AB12"))


@pytest.mark.parametrize("carrier", ["fedex", "ups", "usps"])
def test_a_token_is_fetched_once_and_again_when_it_was_refused(carrier: str) -> None:
    line, tokens = Line([Answer(404), Answer(404), Answer(401), Answer(404)]), Tokens()
    for _ in range(2):
        poll(carrier, "AB12", CREDENTIALS, line, tokens)
    assert line.tokens == 1

    with pytest.raises(NotAnswered):
        poll(carrier, "AB12", CREDENTIALS, line, tokens)
    poll(carrier, "AB12", CREDENTIALS, line, tokens)

    assert line.tokens == 2


def test_a_token_that_has_ended_is_fetched_anew() -> None:
    clock = [0.0]
    line, tokens = Line([Answer(404), Answer(404)]), Tokens(lambda: clock[0])
    poll("usps", "AB12", CREDENTIALS, line, tokens)
    clock[0] = 600.0
    poll("usps", "AB12", CREDENTIALS, line, tokens)

    assert line.tokens == 2


def test_an_answer_is_read_as_the_carriers_own_words_are() -> None:
    (update,) = poll("dhl", "1Z", CREDENTIALS, Line([ok(DHL)]), Tokens())

    assert (update.tracking_number, update.scans[0].status) == ("1Z", TrackingStatus.IN_TRANSIT)


def test_a_tracker_that_is_asked_for_says_what_its_webhook_would_have_said() -> None:
    tracker = {
        "tracking_code": "EZ1",
        "status": "delivered",
        "updated_at": "2026-03-03T00:00:00Z",
        "tracking_details": [
            {"status": "delivered", "datetime": "2026-03-02T10:00:00Z"},
        ],
    }

    found = poll("easypost", "EZ1", CREDENTIALS, Line([ok({"trackers": [tracker]})]), Tokens())

    assert [each.status for each in found[0].scans] == [TrackingStatus.DELIVERED]


def test_credentials_that_nobody_has_put_in_are_named() -> None:
    with pytest.raises(NotAnswered, match="api_key"):
        poll("dhl", "AB12", {}, Line(), Tokens())
