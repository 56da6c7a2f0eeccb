from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from infra.local.cloud import Cloud
from tests.cloud import DeployedCloud, bare_cloud, deployed_cloud, fresh_account

# The same examples on every machine: what one run finds, all others find. `make explore` looks
# for new ones. How long one takes is no property of the code on a machine that others use, too.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", print_blob=True, deadline=None)
settings.load_profile("same")


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """A bare embedded cloud that the tests of one process have to themselves."""
    with bare_cloud() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def dynamodb(cloud: Cloud) -> Any:
    """A DynamoDB client; tables outlive a test, so name them for it or use `account`."""
    return cloud.client("dynamodb")


@pytest.fixture(scope="session")
def deployed() -> Iterator[DeployedCloud]:
    """The whole app, deployed; stories keep apart by ids of their own."""
    with deployed_cloud() as app:
        yield app


@pytest.fixture
def account() -> str:
    """An AWS account with nothing in it: `cloud.client("dynamodb", account)`."""
    return fresh_account()
