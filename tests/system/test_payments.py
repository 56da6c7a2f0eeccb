"""Money is reserved once, whatever banks and networks do, and never kept for nothing."""

from collections.abc import Iterator

import pytest

from infra.local.client import Refusal
from tests.system.shop import Shop, at_once

pytestmark = pytest.mark.system


def test_a_declined_card_cancels_the_order_and_takes_nothing(shop: Shop) -> None:
    sku = shop.stocked(5)

    order_id = shop.place((sku, 2), token="tok_declined")

    declined = shop.until(order_id, status="cancelled")
    assert (declined["payment_status"], declined["authorized"]) == ("declined", 0)
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")
    assert shop.units(sku) == (5, 5, 0)
    assert "OrderRouted" not in shop.history(order_id)


def test_an_answer_that_was_lost_is_looked_up_and_the_money_reserved_once(shop: Shop) -> None:
    order = shop.routed((shop.stocked(5), 2), token="tok_timeout_then_ok")

    assert order["authorized"] == 2500
    assert shop.history(order["order_id"]).count("PaymentAuthorized") == 1


def test_an_order_waits_for_the_bank_and_goes_on_with_its_webhook(shop: Shop) -> None:
    sku = shop.stocked(5)
    order_id = shop.place((sku, 2), token="tok_3ds")
    shop.until(order_id, payment_status="pending")
    shop.until_at(order_id, "Await payment")
    assert shop.units(sku) == (5, 5, 0)

    at_once([lambda: shop.bank_says(order_id)] * 3)
    shop.until(order_id, status="in_fulfillment", payment_status="authorized")
    shop.bank_says(order_id, "authorization.failed")

    assert shop.history(order_id).count("PaymentAuthorized") == 1
    assert shop.units(sku) == (5, 3, 2)
    shop.finish(order_id)
    assert shop.until(order_id, payment_status="paid")["paid"] == 2500


def test_a_webhook_may_come_before_the_order_waits_for_it(shop: Shop) -> None:
    sku = shop.stocked(5)
    with shop.outbox(Enabled=False):
        order_id = shop.place((sku, 2), token="tok_3ds")
        shop.bank_says(order_id)

    shop.until(order_id, status="in_fulfillment", payment_status="authorized")

    assert shop.history(order_id).count("PaymentAuthorized") == 1
    assert "Await payment" not in shop.way(order_id)


def test_a_buyer_who_refuses_at_the_bank_has_no_order(shop: Shop) -> None:
    sku = shop.stocked(5)
    order_id = shop.place((sku, 2), token="tok_3ds")
    shop.until(order_id, payment_status="pending")

    shop.bank_says(order_id, "authorization.failed")

    shop.until(order_id, status="cancelled", payment_status="declined")
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")
    assert shop.units(sku) == (5, 5, 0)


@pytest.fixture
def _impatient(shop: Shop) -> Iterator[None]:
    with shop.deadline("Await payment", 2):
        yield


@pytest.mark.usefixtures("_impatient")
def test_an_order_whose_webhook_never_comes_expires(shop: Shop) -> None:
    sku = shop.stocked(5)

    order_id = shop.place((sku, 2), token="tok_3ds")

    expired = shop.until(order_id, status="expired")
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")
    assert (expired["authorized"], shop.units(sku)) == (0, (5, 5, 0))


@pytest.mark.usefixtures("_impatient")
def test_a_yes_that_comes_after_the_order_expired_takes_nothing(shop: Shop) -> None:
    order_id = shop.place((shop.stocked(5), 2), token="tok_3ds")
    shop.until(order_id, status="expired")
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")

    shop.bank_says(order_id)

    late = shop.order(order_id)
    assert (late["status"], late["authorized"], late["paid"]) == ("expired", 0, 0)


def test_a_webhook_for_an_operation_that_nobody_asked_for_is_not_found(shop: Shop) -> None:
    order_id = shop.routed((shop.stocked(1), 1))["order_id"]
    message = {"event": "authorization.succeeded", "order_id": order_id, "key": "guessed"}

    with pytest.raises(Refusal) as refused:
        shop.api.test_provider(message)

    assert refused.value.status == 404
