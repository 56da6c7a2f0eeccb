"""The published description of the API is the code's own."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from infra import openapi
from oms.contracts.routes import ROUTES

FUNCTIONS = Path(__file__).parents[2] / "functions"


def queries() -> Iterator[tuple[str, str]]:
    """Of each handler that reads its query: its route, and the name of the contract."""
    trees = (ast.parse(path.read_text()) for path in sorted(FUNCTIONS.rglob("*.py")))
    handlers = (x for tree in trees for x in tree.body if isinstance(x, ast.FunctionDef))
    for handler in handlers:
        read = re.search(r"\.read_query\((\w+)\)", ast.unparse(handler))
        for said in handler.decorator_list:
            route = re.fullmatch(r"app\.route\('(\w+)', '(.+)'\)", ast.unparse(said))
            if read and route:
                yield f"{route[1]} {route[2]}", read[1]


def test_the_document_is_what_the_code_says() -> None:
    assert openapi.DOCUMENT.read_text() == openapi.text(), "run `python -m infra.openapi`"


def test_every_route_is_described_with_its_scope() -> None:
    paths = openapi.document()["paths"]

    for route in ROUTES:
        operation = paths[route.path][route.method.lower()]
        assert operation["summary"] == route.summary
        assert operation["security"] == ([{"token": [f"oms/{route.scope}"]}] if route.scope else [])


def test_no_reference_dangles() -> None:
    document = openapi.document()

    for kind, name in re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(document)):
        assert name in document["components"][kind]


def test_operation_ids_are_unique() -> None:
    ids = [o["operationId"] for path in openapi.document()["paths"].values() for o in path.values()]

    assert len(ids) == len(set(ids))


def test_every_query_that_is_read_is_described() -> None:
    read = dict(queries())

    assert len(read) > 15
    assert read.items() <= {key: of.__name__ for key, of in openapi.QUERIES.items()}.items()


def test_a_key_that_must_be_sent_is_said_to_be() -> None:
    labels = openapi.document()["paths"]["/fulfillment-orders/{id}/labels"]["post"]

    assert [x["required"] for x in labels["parameters"] if x["in"] == "header"] == [True]
