"""The app comes into an embedded cloud by its own CDK templates."""

import base64
import json
import urllib.error
import urllib.request

import pytest

from infra.local.access import HANDSHAKES
from infra.local.deploy import deploy
from infra.local.synth import ASSEMBLY
from oms.adapters.carriers import CARRIERS
from oms.adapters.channels import CHANNELS
from tests.cloud import DeployedCloud

pytestmark = [pytest.mark.cloud, pytest.mark.system]


def test_deploying_again_changes_nothing(deployed: DeployedCloud) -> None:
    assert deploy(deployed.cloud, ASSEMBLY) == deployed.outputs


def test_a_token_carries_the_scopes_that_were_asked_for(deployed: DeployedCloud) -> None:
    payload = deployed.token("oms/orders.read").split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    assert claims["scope"] == "oms/orders.read"


def test_a_caller_without_a_token_is_not_let_in(deployed: DeployedCloud) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{deployed.url}/orders", timeout=20)

    assert refusal.value.code == 401


def test_each_sender_of_webhooks_has_a_secret_of_its_own(deployed: DeployedCloud) -> None:
    senders = {*CHANNELS, *CARRIERS} - {"manual"}
    assert deployed.secrets.keys() == {*senders, *HANDSHAKES}
    assert len(set(deployed.secrets.values())) == len(deployed.secrets)
