"""The published description of the API is the code's own."""

from __future__ import annotations

import json
import re

from infra import openapi
from oms.contracts.routes import ROUTES


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
