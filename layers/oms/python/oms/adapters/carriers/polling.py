"""To ask carriers where a parcel is: those that tell nobody by themselves, and the others for what
their webhooks have lost.

Credentials are the secrets' object `<carrier>/api`. Each may name another `base_url`, as of a
carrier's test system.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import uuid4

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import CarrierAnswered, Ignored, Polled
from oms.adapters.web import Answer, Unreachable, Web
from oms.adapters.webhooks import Call
from oms.domain.errors import OmsError
from oms.domain.tracking import TrackingUpdate

Credentials = Mapping[str, str]
Headers = dict[str, str]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
EARLY = 60  # seconds before its end a token is fetched anew


class NotAnswered(OmsError):
    """The carrier did not answer so that we know more; asked again later it may."""


@dataclass(frozen=True, slots=True)
class Line:
    """To one carrier, with our credentials."""

    base_url: str
    credentials: Credentials
    web: Web

    def secret(self, name: str) -> str:
        if not (found := self.credentials.get(name)):
            raise NotAnswered(f"its credentials have no {name}")
        return found

    def get(self, path: str, headers: Headers) -> Answer:
        return self.web.call("GET", self.base_url + path, headers=headers)

    def post(self, path: str, headers: Headers, body: bytes) -> Answer:
        return self.web.call("POST", self.base_url + path, headers=headers, body=body)

    def basic(self, name: str, password: str) -> Headers:
        pair = f"{self.secret(name)}:{self.credentials.get(password, '')}"
        return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


class Tokens:
    """Bearer tokens by client credentials, kept for as long as they last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    def of(self, line: Line, fetch: Callable[[Line], Answer]) -> Headers:
        name = (line.base_url, line.secret("client_id"))
        token, until = self._known.get(name, ("", 0.0))
        if self._clock() >= until:
            said = _accepted(fetch(line)).json()
            token, lasts = str(said["access_token"]), float(said.get("expires_in", 600))
            self._known[name] = (token, self._clock() + lasts - EARLY)
        return {"authorization": f"Bearer {token}"}

    def forget(self, line: Line) -> None:
        self._known.pop((line.base_url, line.credentials.get("client_id", "")), None)


def poll(
    carrier: str, number: str, credentials: Credentials, web: Web, tokens: Tokens
) -> tuple[TrackingUpdate, ...]:
    """What the carrier knows of the parcel; nothing where it does not know the number yet. Raises
    NotAnswered, or MalformedUpdate for an answer that is none."""
    base_url, ask = ASKED[carrier]
    line = Line(credentials.get("base_url", base_url).rstrip("/"), credentials, web)
    try:
        answer = ask(line, number, tokens)
    except Unreachable as error:
        raise NotAnswered(f"{carrier}: {error}") from None
    if answer.status == 404:
        return ()
    if answer.status == 401:
        tokens.forget(line)
    return _read(carrier, _accepted(answer), number)


def _read(carrier: str, answer: Answer, number: str) -> tuple[TrackingUpdate, ...]:
    if carrier == "easypost":
        return _of_trackers(answer)
    reader: Polled = CARRIERS[carrier]  # type: ignore[assignment]
    try:
        return reader.read_answer(answer.body, number)
    except CarrierAnswered:
        return ()  # it does not know the number, or not any more


def _of_trackers(answer: Answer) -> tuple[TrackingUpdate, ...]:
    """Each as the webhook that was lost would have told it."""
    found: list[TrackingUpdate] = []
    for tracker in answer.json().get("trackers") or []:
        event = {"description": "tracker.updated", "result": tracker}
        said = CARRIERS["easypost"].read(Call(json.dumps(event).encode()))
        found += () if isinstance(said, Ignored) else said
    return tuple(found)


def _accepted(answer: Answer) -> Answer:
    if answer.status >= 300:
        raise NotAnswered(f"the carrier answered with status {answer.status}")
    return answer


def _usps(line: Line, number: str, tokens: Tokens) -> Answer:
    def fetch(line: Line) -> Answer:
        said = {
            "grant_type": "client_credentials",
            "client_id": line.secret("client_id"),
            "client_secret": line.secret("client_secret"),
        }
        return line.post("/oauth2/v3/token", {"content-type": JSON}, json.dumps(said).encode())

    path = f"/tracking/v3/tracking/{quote(number, safe='')}?expand=DETAIL"
    return line.get(path, tokens.of(line, fetch))


def _fedex(line: Line, number: str, tokens: Tokens) -> Answer:
    def fetch(line: Line) -> Answer:
        said = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": line.secret("client_id"),
                "client_secret": line.secret("client_secret"),
            }
        )
        return line.post("/oauth/token", {"content-type": FORM}, said.encode())

    asked = {
        "includeDetailedScans": True,
        "trackingInfo": [{"trackingNumberInfo": {"trackingNumber": number}}],
    }
    headers = {"content-type": JSON, **tokens.of(line, fetch)}
    return line.post("/track/v1/trackingnumbers", headers, json.dumps(asked).encode())


def _ups(line: Line, number: str, tokens: Tokens) -> Answer:
    def fetch(line: Line) -> Answer:
        headers = {"content-type": FORM, **line.basic("client_id", "client_secret")}
        said = urlencode({"grant_type": "client_credentials"})
        return line.post("/security/v1/oauth/token", headers, said.encode())

    headers = {"transId": uuid4().hex, "transactionSrc": "baton", **tokens.of(line, fetch)}
    return line.get(f"/api/track/v1/details/{quote(number, safe='')}?locale=en_US", headers)


def _dhl(line: Line, number: str, tokens: Tokens) -> Answer:  # noqa: ARG001
    asked = urlencode({"trackingNumber": number})
    return line.get(f"/track/shipments?{asked}", {"DHL-API-Key": line.secret("api_key")})


def _royal_mail(line: Line, number: str, tokens: Tokens) -> Answer:  # noqa: ARG001
    headers = {
        "X-IBM-Client-Id": line.secret("client_id"),
        "X-IBM-Client-Secret": line.secret("client_secret"),
        "X-Accept-RMG-Terms": "yes",
        "accept": JSON,
    }
    return line.get(f"/mailpieces/v2/{quote(number, safe='')}/events", headers)


def _canada_post(line: Line, number: str, tokens: Tokens) -> Answer:  # noqa: ARG001
    headers = {"accept": "application/vnd.cpc.track-v2+xml", "accept-language": "en-CA"}
    path = f"/vis/track/pin/{quote(number, safe='')}/detail"
    return line.get(path, {**headers, **line.basic("username", "password")})


def _australia_post(line: Line, number: str, tokens: Tokens) -> Answer:  # noqa: ARG001
    headers = {"account-number": line.secret("account_number"), "accept": JSON}
    asked = urlencode({"tracking_ids": number})
    path = f"/shipping/v1/track?{asked}"
    return line.get(path, {**headers, **line.basic("api_key", "password")})


def _easypost(line: Line, number: str, tokens: Tokens) -> Answer:  # noqa: ARG001
    asked = urlencode({"tracking_code": number, "page_size": 5})
    return line.get(f"/v2/trackers?{asked}", line.basic("api_key", ""))


ASKED: Mapping[str, tuple[str, Callable[[Line, str, Tokens], Answer]]] = {
    "australia_post": ("https://digitalapi.auspost.com.au", _australia_post),
    "canada_post": ("https://soa-gw.canadapost.ca", _canada_post),
    "dhl": ("https://api-eu.dhl.com", _dhl),
    "easypost": ("https://api.easypost.com", _easypost),
    "fedex": ("https://apis.fedex.com", _fedex),
    "royal_mail": ("https://api.royalmail.net", _royal_mail),
    "ups": ("https://onlinetools.ups.com", _ups),
    "usps": ("https://apis.usps.com", _usps),
}
