from collections.abc import Iterator

import pytest

from tests.cloud import DeployedCloud
from tests.system.shop import Shop


@pytest.fixture(scope="session")
def shop(deployed: DeployedCloud) -> Shop:
    """One cloud for all stories; they keep apart by SKUs and buyers of their own."""
    return Shop(deployed).open()


@pytest.fixture(scope="module", autouse=True)
def _balance(shop: Shop) -> Iterator[None]:
    """After the stories of a module the books of all stories so far balance, and no function was
    kept from what its story needed."""
    yield
    shop.books()
    assert not shop.denied()
