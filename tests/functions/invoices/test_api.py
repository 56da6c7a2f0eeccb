"""The door for documents."""

from __future__ import annotations

import pytest

from functions.invoices import api
from tests.functions.doors import House, ask, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_order_that_is_not_there_has_no_documents(house: House, method: str) -> None:
    route = f"{method} /orders/{{order_id}}/documents"

    assert ask(api, route, order_id="ord_nobody")[0] == 404


@pytest.mark.parametrize("number", ["INV--1", "../", "-", "INV", "é"])
def test_what_is_no_number_finds_nothing(house: House, number: str) -> None:
    assert ask(api, "GET /documents/{number}", number=number)[0] == 404
