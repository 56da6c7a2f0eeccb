"""One line per invocation, with ids and without people."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from oms.observability import ids, observed
from oms.settings import MissingSetting, setting


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.__dict__)

    found: list[dict[str, Any]] = []
    collect = Collect()
    logging.getLogger("oms").addHandler(collect)
    yield found
    logging.getLogger("oms").removeHandler(collect)


@observed
def route_order(event: dict[str, Any], context: object) -> dict[str, Any]:
    if event.get("fail"):
        raise ValueError("ada@example.com")
    return {"outcome": "routed"}


def test_a_step_is_one_line_with_its_outcome(lines: list[dict[str, Any]]) -> None:
    assert route_order({"order_id": "ord_1", "name": "ada@example.com"}, None) == {
        "outcome": "routed"
    }

    (line,) = lines
    assert (line["levelname"], line["order_id"], line["outcome"]) == ("INFO", "ord_1", "routed")
    assert line["function"] == "tests.test_observability"
    assert "example.com" not in json.dumps(line, default=str)


def test_a_surprise_is_logged_once_and_goes_on_up(lines: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="ada"):
        route_order({"fail": True, "detail": {"order_id": "ord_2"}}, None)

    (line,) = lines
    assert (line["levelname"], line["order_id"], line["error"]) == ("ERROR", "ord_2", "ValueError")
    assert "example.com" not in json.dumps(line, default=str)


def test_the_code_of_an_aws_answer_is_told(lines: list[dict[str, Any]]) -> None:
    class ClientError(Exception):
        response = {"Error": {"Code": "ThrottlingException", "Message": "secret"}}  # noqa: RUF012

    @observed
    def step(event: dict[str, Any], context: object) -> None:
        raise ClientError

    with pytest.raises(ClientError):
        step({}, None)
    assert lines[0]["code"] == "ThrottlingException"


def test_ids_are_found_at_the_top_and_in_the_detail() -> None:
    assert ids({"order_id": "a", "email": "x"}) == {"order_id": "a"}
    assert ids({"detail": {"order_id": "b", "sku": "c"}}) == {"order_id": "b", "sku": "c"}
    assert ids([]) == ids({"detail": "x"}) == {}


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_TABLE", "orders")
    monkeypatch.setenv("STOCK_TABLE", "")

    assert setting("ORDERS_TABLE") == "orders"
    for name in ("STOCK_TABLE", "NO_SUCH_TABLE"):
        with pytest.raises(MissingSetting, match=name):
            setting(name)


EDGES = """
import os, socket, sys
def touched(*_: object) -> None: raise AssertionError("touched at import")
socket.socket.connect = touched
before = dict(os.environ)
import oms.adapters.http_api, oms.contracts.api, oms.adapters.carriers, oms.adapters.payments
assert "boto3" not in sys.modules
assert dict(os.environ) == before
"""

WORKER = """
import sys
import oms.adapters.carriers, oms.adapters.payments, oms.observability, oms.settings
import oms.adapters.http_api
assert "pydantic" not in sys.modules
"""


@pytest.mark.parametrize("code", [EDGES, WORKER])
def test_importing_an_edge_touches_nothing_and_drags_nothing_along(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
