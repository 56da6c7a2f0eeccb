"""Everything that can arrive at a function behind the gateway, and the one answer it gets."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.http_api import MAX_BODY, HttpApi, Problem, Request, Response
from oms.contracts.api import EventPage, EventView, OrderQuery, PlaceOrder
from oms.contracts.cursors import decode_cursor
from oms.contracts.invalid import Fault
from oms.domain.errors import Conflict, Contended, IllegalTransition, NotFound
from tests.contracts.test_api import ORDER

app = HttpApi("CaptureApi")


@app.route("POST", "/orders")
def place(request: Request) -> Response:
    order = request.read(PlaceOrder)
    return Response(
        201, {"order_id": order.external_id}, {"location": "/orders/x"}, {"order_id": "x"}
    )


@app.route("GET", "/orders")
def listed(request: Request) -> Any:
    query = request.read_query(OrderQuery)
    return decode_cursor(query.cursor) if query.cursor else {"limit": query.limit}


@app.route("GET", "/stock/{sku}")
def stock(request: Request) -> Any:
    return {"sku": request.path["sku"], "query": request.query}


@app.route("GET", "/table")
def table(request: Request) -> Response:
    return Response(body="sku\nMUG\n", headers={"content-type": "text/csv"})


@app.route("GET", "/history")
def history(request: Request) -> Any:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    event = EventView("e1", "OrderPlaced", 1, at, "ord_1", 1, "client:c1", {"total": 2836})
    return EventPage([event])


@app.route("PUT", "/stock/{sku}")
def put(request: Request) -> None:
    return None


@app.route("POST", "/raw")
def raw(request: Request) -> Any:
    return {"bytes": request.body.hex(), "signature": request.headers.get("x-signature")}


@app.route("POST", "/fail/{how}")
def fail(request: Request) -> Any:
    errors: dict[str, Exception] = {
        "missing": NotFound("order", "ord_1"),
        "illegal": IllegalTransition("ord_1", "cancelled", "be shipped"),
        "conflict": Conflict("another body was sent under this key"),
        "contended": Contended("others were faster, 8 times"),
        "problem": Problem(418, "Teapot", "short and stout", [Fault("spout", "is missing")]),
        "surprise": RuntimeError("ada@example.com lives at 1 Main St"),
    }
    raise errors[request.path["how"]]


@app.route("GET", "/me")
def me(request: Request) -> Any:
    return {
        "actor": request.actor,
        "scopes": sorted(request.scopes),
        "key": request.idempotency_key,
    }


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The log lines that were written."""

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.__dict__)

    found: list[dict[str, Any]] = []
    collect = Collect()
    logging.getLogger("oms").addHandler(collect)
    yield found
    logging.getLogger("oms").removeHandler(collect)


def event(
    method: str,
    path: str,
    body: bytes | str | None = None,
    route: str | None = None,
    query: str = "",
    headers: dict[str, str] | None = None,
    claims: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the gateway sends; bytes go as base64, as it does for most content types."""
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {route}" if route else "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers or {},
        "requestContext": {"http": {"method": method, "path": path}, "requestId": "r-1"},
        "isBase64Encoded": isinstance(body, bytes),
    }
    if parameters is not None:
        found["pathParameters"] = parameters
    if claims is not None:
        found["requestContext"]["authorizer"] = {"jwt": {"claims": claims}}
    if body is not None:
        found["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return found


def ask(*args: Any, **kwargs: Any) -> tuple[int, Any]:
    answer = app.handle(event(*args, **kwargs), None)
    kind = answer["headers"].get("content-type")
    if answer["statusCode"] >= 400:
        assert kind == "application/problem+json"
        assert {"type", "title", "status"} <= json.loads(answer["body"]).keys()
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def test_a_request_reaches_its_handler_and_the_answer_goes_back() -> None:
    answer = app.handle(event("POST", "/orders", json.dumps(ORDER), route="/orders"), None)

    assert answer["statusCode"] == 201
    assert answer["headers"] == {"content-type": "application/json", "location": "/orders/x"}
    assert json.loads(answer["body"]) == {"order_id": "10001"}


def test_a_view_is_answered_as_it_is_declared() -> None:
    _, page = ask("GET", "/history")

    assert page["cursor"] is None
    assert page["items"][0]["at"] == "2026-03-01T12:00:00Z"


def test_a_text_is_answered_as_it_is() -> None:
    answer = app.handle(event("GET", "/table"), None)

    assert (answer["body"], answer["headers"]["content-type"]) == ("sku\nMUG\n", "text/csv")


def test_a_body_may_come_as_base64() -> None:
    assert ask("POST", "/orders", json.dumps(ORDER).encode())[0] == 201


def test_signatures_are_checked_over_the_bytes_that_were_sent() -> None:
    body = '{ "title":"測試" }\n'.encode()
    sent = {"X-Signature": "abc"}

    assert ask("POST", "/raw", body, headers=sent)[1] == {"bytes": body.hex(), "signature": "abc"}
    assert ask("POST", "/raw", body.decode())[1]["bytes"] == body.hex()


@pytest.mark.parametrize("sku", ["MUG 01", "A/B", "50%", "A%20B", "ΩΩ", "a?b#c", "..", "{sku}"])
def test_any_sku_can_be_a_part_of_a_path(sku: str) -> None:
    assert ask("GET", f"/stock/{quote(sku, safe='')}")[1]["sku"] == sku


@pytest.mark.parametrize("sku", ["MUG 01", "50%", "A%20B", "ΩΩ"])
def test_the_gateway_decodes_a_path_but_for_its_percent_signs(sku: str) -> None:
    sent = {"sku": sku.replace("%", "%25")}

    assert ask("GET", "/x", route="/stock/{sku}", parameters=sent)[1]["sku"] == sku


@pytest.mark.parametrize("sku", ["", "a" * 201, "a\ud800"])
def test_what_no_row_could_be_called_is_not_found(sku: str) -> None:
    assert ask("GET", "/x", route="/stock/{sku}", parameters={"sku": sku})[0] == 404


def test_repeated_keys_of_a_query_are_a_list_and_commas_are_not() -> None:
    _, answer = ask("GET", "/stock/A", query="sku=A&sku=B%2CC&empty=")

    assert answer["query"] == {"sku": ["A", "B,C"], "empty": [""]}


def test_a_handler_that_says_nothing_answers_nothing() -> None:
    assert ask("PUT", "/stock/A") == (200, None)


def test_unknown_paths_are_404_and_other_methods_405() -> None:
    assert ask("GET", "/nowhere")[0] == 404
    assert ask("GET", "/stock/A/B")[0] == 404
    assert ask("GET", "/stock/")[0] == 404
    status, problem = ask("DELETE", "/stock/A")
    assert (status, problem["detail"]) == (405, "allowed: GET, PUT")


def test_who_asks_is_an_id_without_a_name() -> None:
    staff = {"sub": "8f0c", "username": "ada@example.com", "scope": "oms/orders.read oms/ops"}
    machine = {"sub": "c1", "client_id": "c1"}

    assert ask("GET", "/me", claims=staff)[1]["actor"] == "user:8f0c"
    assert ask("GET", "/me", claims=staff)[1]["scopes"] == ["oms/ops", "oms/orders.read"]
    assert ask("GET", "/me", claims=machine)[1]["actor"] == "client:c1"
    assert ask("GET", "/me")[1]["actor"] == "anonymous"


def test_an_idempotency_key_is_short_visible_ascii() -> None:
    assert ask("GET", "/me", headers={"Idempotency-Key": "k-1"})[1]["key"] == "k-1"
    for key in ("", "a b", "ä", "x" * 256, "a\n"):
        assert ask("GET", "/me", headers={"idempotency-key": key})[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[1,",
        "'a'",
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":1e999}',
        '{"a":' + "9" * 19 + "}",
        '{"a":' + "9" * 5000 + "}",
        "[" * 100_000,
        "\ufeff{}",
        b"\xff\xfe",
        b"\x00",
        "a=1&b=2",
    ],
)
def test_what_is_no_plain_json_is_400(body: str | bytes) -> None:
    assert ask("POST", "/orders", body)[0] == 400


def test_a_body_that_is_no_base64_is_400() -> None:
    broken = event("POST", "/orders", "é") | {"isBase64Encoded": True}

    assert app.handle(broken, None)["statusCode"] == 400


@pytest.mark.parametrize("body", [b"x" * (MAX_BODY + 1), "x" * (MAX_BODY + 1), "x" * 10_000_000])
def test_a_body_over_a_megabyte_is_413(body: str | bytes) -> None:
    assert ask("POST", "/raw", body)[0] == 413


def test_a_body_of_a_megabyte_is_read() -> None:
    assert ask("POST", "/raw", b"x" * MAX_BODY)[0] == 200


def test_a_broken_contract_is_422_with_every_field() -> None:
    status, problem = ask("POST", "/orders", json.dumps(ORDER | {"total": -1, "currency": "XXX"}))

    assert (status, problem["type"]) == (422, "urn:oms:invalid-request")
    assert {error["field"] for error in problem["errors"]} == {"total", "currency"}
    assert all(error["reason"] for error in problem["errors"])


def test_no_body_is_a_contract_without_its_fields() -> None:
    status, problem = ask("POST", "/orders")

    assert status == 422
    assert "lines" in {error["field"] for error in problem["errors"]}


def test_a_garbage_cursor_is_400_and_a_garbage_query_422() -> None:
    assert ask("GET", "/orders", query="cursor=garbage")[0] == 400
    assert ask("GET", "/orders", query="limit=many")[0] == 422
    assert ask("GET", "/orders", query="limit=1&limit=2")[0] == 422
    assert ask("GET", "/orders", query="&".join("a=1" for _ in range(500)))[0] == 400


@pytest.mark.parametrize(
    ("how", "status", "kind"),
    [
        ("missing", 404, "urn:oms:not-found"),
        ("illegal", 409, "urn:oms:illegal-transition"),
        ("conflict", 409, "urn:oms:conflict"),
        ("contended", 429, "urn:oms:contended"),
        ("problem", 418, "about:blank"),
        ("surprise", 500, "about:blank"),
    ],
)
def test_each_kind_of_refusal_has_its_status(how: str, status: int, kind: str) -> None:
    answered, problem = ask("POST", f"/fail/{how}")

    assert (answered, problem["status"], problem["type"]) == (status, status, kind)


def test_who_meets_too_many_others_is_told_to_come_again() -> None:
    answer = app.handle(event("POST", "/fail/contended"), None)

    assert answer["headers"]["retry-after"] == "1"


def test_a_refusal_says_why_and_a_surprise_says_nothing() -> None:
    assert ask("POST", "/fail/missing")[1]["detail"] == "there is no order ord_1"
    assert ask("POST", "/fail/problem")[1]["errors"] == [{"field": "spout", "reason": "is missing"}]
    assert ask("POST", "/fail/surprise")[1].keys() == {"type", "title", "status"}


def test_each_request_is_one_line_with_its_ids(lines: list[dict[str, Any]]) -> None:
    ask("POST", "/orders", json.dumps(ORDER))
    ask("GET", "/stock/A")
    ask("GET", "/nowhere")

    assert [(x["function"], x["status"]) for x in lines] == [
        ("CaptureApi", 201),
        ("CaptureApi", 200),
        ("CaptureApi", 404),
    ]
    assert (lines[0]["route"], lines[0]["order_id"]) == ("/orders", "x")
    assert (lines[1]["sku"], lines[1]["method"], lines[1]["request_id"]) == ("A", "GET", "r-1")
    assert all(x["ms"] >= 0 for x in lines)


def test_a_surprise_is_one_line_that_tells_the_place_and_no_person(
    lines: list[dict[str, Any]],
) -> None:
    ask("POST", "/fail/surprise")

    (line,) = lines
    assert (line["levelname"], line["error"], line["status"]) == ("ERROR", "RuntimeError", 500)
    assert any("test_http_api.py" in place for place in line["at"])
    assert "example.com" not in json.dumps(line, default=str)


def test_a_body_is_never_logged(lines: list[dict[str, Any]]) -> None:
    ask("POST", "/orders", json.dumps(ORDER | {"total": 1}))

    assert "example.com" not in json.dumps(lines, default=str)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["USD", "US", "tok_ok", "1e5", "\x00", "ada@example.com"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(list(ORDER)) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)


@st.composite
def near_orders(draw: st.DrawFn) -> Any:
    """An order with a few of its parts replaced by anything."""
    order: Any = json.loads(json.dumps(ORDER))
    for _ in range(draw(st.integers(1, 3))):
        spot: Any = order
        for _ in range(draw(st.integers(0, 4))):
            inner = [x for x in (spot.values() if isinstance(spot, dict) else spot) if x]
            inner = [x for x in inner if isinstance(x, dict | list)]
            if not inner:
                break
            spot = draw(st.sampled_from(inner))
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        if keys:
            spot[draw(st.sampled_from(keys))] = draw(JSON)
    return order


def never_a_surprise(body: str | bytes) -> None:
    answer = app.handle(event("POST", "/orders", body), None)

    assert answer["statusCode"] in {201, 400, 413, 422}
    assert "Traceback" not in answer["body"]
    json.dumps(answer).encode()


@settings(max_examples=150, deadline=None)
@given(near_orders())
def test_no_order_is_a_surprise(order: Any) -> None:
    never_a_surprise(json.dumps(order))


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_no_json_is_a_surprise(body: Any) -> None:
    never_a_surprise(json.dumps(body))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_are_a_surprise(body: bytes | str) -> None:
    if isinstance(body, str) and any("\ud800" <= c <= "\udfff" for c in body):
        return
    never_a_surprise(body)
