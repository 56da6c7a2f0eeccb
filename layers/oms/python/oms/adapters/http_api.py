"""The routes of one function behind an API Gateway HTTP API (payload format 2.0).

Small on purpose: a router is most of what a cold start would import. A handler takes a `Request`
and returns what is answered with 200, or a `Response`, or raises: `Problem`, a domain error, or a
broken contract become `application/problem+json`; anything else is a 500 that tells nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, unquote

import msgspec

from oms.adapters.strict_json import BadJson, parse_json
from oms.contracts.cursors import BadCursor
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.errors import Conflict, Contended, NotFound, OmsError, Refused
from oms.observability import describe, logger, since

MAX_BODY = 1_000_000
MAX_QUERY_FIELDS = 200
MAX_SEGMENT = 200  # of a path; no id, SKU or location is longer
MAX_FAULTS = 1_000
SURROGATES = re.compile("[\ud800-\udfff]")

BUSY = 429  # as the gateway answers a client that is too fast: it tries again, nobody is called
PAUSE = "1"  # seconds

ANSWERS: dict[type[Exception], tuple[int, str]] = {  # the nearest base class of an error answers
    NotFound: (404, "Not found"),
    Conflict: (409, "Conflict"),
    Refused: (409, "Not possible now"),
    Contended: (BUSY, "Busy, try again"),
    OmsError: (422, "Refused"),
    BadJson: (400, "Bad JSON"),
    BadCursor: (400, "Bad cursor"),
    InvalidRequest: (422, "Invalid request"),
}


class Problem(Exception):
    """A refusal in terms of HTTP; its title and detail are shown to the caller."""

    def __init__(
        self, status: int, title: str, detail: str = "", errors: Iterable[Fault] = ()
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.errors = status, title, detail, tuple(errors)


class Readable(Protocol):
    @classmethod
    def read(cls, data: Any) -> Any: ...


R = TypeVar("R", bound=Readable)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    route: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    claims: Mapping[str, str] = field(default_factory=dict)
    url: str = ""

    @property
    def actor(self) -> str:
        """Who asks, as an id that may be stored: no name, no e-mail address."""
        if "username" in self.claims:
            return f"user:{self.claims.get('sub', '')}"
        client = self.claims.get("client_id") or self.claims.get("sub")
        return f"client:{client}" if client else "anonymous"

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.claims.get("scope", "").split())

    @property
    def idempotency_key(self) -> str | None:
        key = self.headers.get("idempotency-key")
        if key is not None and not re.fullmatch(r"[!-~]{1,255}", key):
            raise Problem(400, "Bad Idempotency-Key", "1 to 255 visible ASCII characters")
        return key

    def json(self) -> Any:
        """The body, or `{}` where there is none; what would be replaced by nothing is kept."""
        if self.body.strip():
            return parse_json(self.body)
        if self.method == "PUT":
            raise InvalidRequest([Fault("body", "is missing, and what it replaces would be gone")])
        return {}

    def read(self, contract: type[R]) -> R:
        return contract.read(self.json())  # type: ignore[no-any-return]

    def read_query(self, contract: type[R]) -> R:
        """A key that comes once is a string, one that is repeated a list."""
        asked = {
            key: values[0] if len(values) == 1 else values for key, values in self.query.items()
        }
        return contract.read(asked)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)  # for the log line


Handler = Callable[[Request], Any]
H = TypeVar("H", bound=Handler)


class HttpApi:
    def __init__(self, function_id: str) -> None:
        self.function_id = function_id
        self._handlers: dict[tuple[str, str], Handler] = {}

    @property
    def routes(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._handlers)

    def route(self, method: str, path: str) -> Callable[[H], H]:
        def bind(handler: H) -> H:
            self._handlers[method, path] = handler
            return handler

        return bind

    def handle(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG002
        began = perf_counter()
        line: dict[str, Any] = {"function": self.function_id, "request_id": _request_id(event)}
        try:
            response = self._answer(event, line)
            answer = _encoded(response)
            line |= response.ids
        except Exception as error:  # noqa: BLE001  (every surprise is answered, and logged once)
            answer = _refusal(error)
            line |= {"refused": type(error).__name__}
            line |= describe(error) if answer["statusCode"] >= 500 else {}
        line |= {"status": answer["statusCode"], "ms": since(began)}
        (logger().error if line["status"] >= 500 else logger().info)("request", extra=line)
        return answer

    def _answer(self, event: dict[str, Any], line: dict[str, Any]) -> Response:
        method, route, path = self._match(event)
        if not all(map(is_name, path.values())):
            raise Problem(404, "Not found", "nothing has such a name, or so long a one")
        line |= {"method": method, "route": route, **loggable(path)}
        request = Request(
            method=method,
            route=route,
            path=path,
            query=_query(event),
            headers={str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()},
            body=_body(event),
            claims=_claims(event),
            url=_url(event),
        )
        line["actor"] = request.actor
        result = self._handlers[method, route](request)
        return result if isinstance(result, Response) else Response(body=result)

    def _match(self, event: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
        """The route that the gateway chose; without its choice, the one that fits the path."""
        method, _, route = str(event.get("routeKey", "")).partition(" ")
        if (method, route) in self._handlers:
            given = event.get("pathParameters") or {}
            return method, route, {name: unquote(value) for name, value in given.items()}
        asked = str(event.get("requestContext", {}).get("http", {}).get("method", ""))
        return self._fit(asked, str(event.get("rawPath", "/")))

    def _fit(self, asked: str, path: str) -> tuple[str, str, dict[str, str]]:
        fits = [
            (method, route, found)
            for method, route in self._handlers
            if (found := fit(route, path)) is not None
        ]
        for method, route, found in fits:
            if method == asked:
                return method, route, found
        if fits:
            allowed = ", ".join(sorted({method for method, _, _ in fits}))
            raise Problem(405, "Method not allowed", f"allowed: {allowed}")
        raise Problem(404, "Not found", "there is no such route")


def is_name(segment: str) -> bool:
    """Text that a key can hold: a lone surrogate is none."""
    return 0 < len(segment) <= MAX_SEGMENT and not SURROGATES.search(segment)


def loggable(path: Mapping[str, str]) -> dict[str, str]:
    """A token opens what it names to whoever reads it; an e-mail address is somebody's; and who
    gives a gift card's code for its id has not given it to the log."""
    shown = ((name, value) for name, value in path.items() if name != "token")
    return {name: _loggable(name, value) for name, value in shown}


def _loggable(name: str, value: str) -> str:
    if name == "gift_card_id" and not value.startswith("gc_"):
        return "(no id)"
    return "(e-mail)" if "@" in value else value


def fit(route: str, path: str) -> dict[str, str] | None:
    """The parameters of a path that fits a route. A literal segment must be equal."""
    wanted, given = route.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    found: dict[str, str] = {}
    for want, have in zip(wanted, given, strict=True):
        if want.startswith("{") and have:
            found[want.strip("{}")] = unquote(have)
        elif want != have:
            return None
    return found


def _url(event: Mapping[str, Any]) -> str:
    """As it was called, without its query. Some senders sign it."""
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
    context = event.get("requestContext") or {}
    host = headers.get("host") or str(context.get("domainName", ""))
    scheme = headers.get("x-forwarded-proto", "https")
    return f"{scheme}://{host}{event.get('rawPath', '/')}"


def _body(event: Mapping[str, Any]) -> bytes:
    """The bytes as they were sent: signatures are over these."""
    text = event.get("body") or ""
    if len(text) > MAX_BODY * 4 // 3 + 4:
        raise _too_large()
    try:
        body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    except ValueError:
        raise Problem(400, "Bad request", "the body cannot be decoded") from None
    if len(body) > MAX_BODY:
        raise _too_large()
    return body


def _too_large() -> Problem:
    return Problem(413, "Body too large", f"at most {MAX_BODY:,} bytes")


def _query(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """From the raw string: the gateway joins repeated keys with commas, which values may hold."""
    raw = event.get("rawQueryString") or ""
    try:
        return parse_qs(raw, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        raise Problem(400, "Bad query", f"at most {MAX_QUERY_FIELDS} parameters") from None


def _claims(event: Mapping[str, Any]) -> dict[str, str]:
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    return {name: str(value) for name, value in claims.items()}


def _request_id(event: Mapping[str, Any]) -> str:
    return str(event.get("requestContext", {}).get("requestId", ""))


def _encoded(response: Response) -> dict[str, Any]:
    if response.body is None:
        return {"statusCode": response.status, "headers": dict(response.headers), "body": ""}
    headers = {"content-type": "application/json", **response.headers}
    is_text = isinstance(response.body, str) and headers["content-type"].startswith("text/")
    body = response.body if is_text else msgspec.json.encode(response.body).decode()
    return {"statusCode": response.status, "headers": headers, "body": body}


def _refusal(error: Exception) -> dict[str, Any]:
    status, title, detail, faults = _told(error)
    kind = "about:blank" if isinstance(error, Problem) or status >= 500 else _kind(error)
    problem: dict[str, Any] = {"type": kind, "title": title, "status": status}
    problem |= {"detail": detail} if detail else {}
    problem |= {"errors": [fault._asdict() for fault in faults[:MAX_FAULTS]]} if faults else {}
    headers = {"content-type": "application/problem+json"}
    headers |= {"retry-after": PAUSE} if status == BUSY else {}
    return {"statusCode": status, "headers": headers, "body": json.dumps(problem)}


def _told(error: Exception) -> tuple[int, str, str, tuple[Fault, ...]]:
    """What a caller is told of an error: status, title, detail, faults."""
    if isinstance(error, Problem):
        return error.status, error.title, error.detail, error.errors
    if isinstance(error, InvalidRequest):
        count = len(error.faults)
        return 422, "Invalid request", f"{count} of its fields are refused", error.faults
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return *ANSWERS[kind], str(error), ()
    return 500, "Internal error", "", ()


def _kind(error: Exception) -> str:
    return "urn:oms:" + re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
