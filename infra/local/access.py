"""What callers of an embedded cloud need: the address, a token, the secrets of the senders."""

import base64
import json
import secrets
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from infra.local.cloud import Cloud, CloudError
from infra.local.deploy import Outputs, describe
from oms.adapters.carriers import CARRIERS
from oms.adapters.channels import CHANNELS

STACKS = ("OmsData", "OmsService", "OmsOutside", "OmsPeople", "OmsInsight", "OmsApi")
SENDERS = tuple(sorted({*CHANNELS, *CARRIERS} - {"manual"}))
PEPPER = "pepper"
API = "/api"  # the end of the names of keys to interfaces that we call
# Senders that sign with a key of their own, and its kind: the store has the public key under their
# name. Here somebody has to play them: `make env` prints the private key, base64 of PKCS8 DER.
SIGNING = {"ebay": "p256", "magento": "rsa", "shipengine": "rsa"}
HANDSHAKES = ("ebay/verification",)  # tokens that senders' questions to a new address need
PRIVATE = "/private"  # after their names, where the local store keeps what is printed


def outputs(cloud: Cloud) -> Outputs:
    """Those of the stacks that are deployed there."""
    found: Outputs = {}
    for name in STACKS:
        stack = describe(cloud, name)
        if stack is None:
            raise CloudError(f"nothing is deployed in the cloud on port {cloud.port}: make up")
        found |= {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    return found


def api_url(cloud: Cloud, found: Outputs) -> str:
    """The address in the form that resolves everywhere, by the id of the API."""
    return f"{cloud.url}/_aws/execute-api/{found['ApiId']}"


def token(cloud: Cloud, found: Outputs, scopes: Iterable[str] = ()) -> str:
    """A bearer token by client credentials, with these scopes or all that there are."""
    client = cloud.client("cognito-idp").describe_user_pool_client(
        UserPoolId=found["UserPoolId"], ClientId=found["ClientId"]
    )["UserPoolClient"]
    wanted = " ".join(scopes) or " ".join(client["AllowedOAuthScopes"])
    form = {"grant_type": "client_credentials", "scope": wanted}
    credentials = f"{client['ClientId']}:{client['ClientSecret']}".encode()
    request = urllib.request.Request(
        f"{cloud.url}/oauth2/token",
        data=urllib.parse.urlencode(form).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(credentials).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["access_token"])


def sender_secrets(cloud: Cloud, found: Outputs) -> dict[str, str]:
    """What each sender of webhooks signs with; one that has nothing yet is given something."""
    known = read_secret(cloud, found["SecretArn"])
    missing = new_secrets(name for name in (*SENDERS, *HANDSHAKES, PEPPER) if name not in known)
    if missing:
        known |= missing
        cloud.client("secretsmanager").put_secret_value(
            SecretId=found["SecretArn"], SecretString=json.dumps(known)
        )
    senders = (name for name in known if name != PEPPER and not name.endswith((PRIVATE, API)))
    return {name: known.get(name + PRIVATE, known[name]) for name in senders}


def new_secrets(names: Iterable[str]) -> dict[str, str]:
    """A secret of its own for each name; of one that signs with a key, both its halves."""
    found = {}
    for name in names:
        if kind := SIGNING.get(name):
            found[name + PRIVATE], found[name] = new_key(kind)
        else:
            found[name] = secrets.token_hex(24)
    return found


def new_key(kind: str) -> tuple[str, str]:
    """Private and public, each base64 of DER. Kinds: `rsa`, `p256`."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    makers: dict[str, Callable[[], Any]] = {
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    }
    key = makers[kind]()
    plain = form.NoEncryption()
    private = key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(
        form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(private).decode(), base64.b64encode(public).decode()


def read_secret(cloud: Cloud, name: str) -> dict[str, Any]:
    text = cloud.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return dict(json.loads(text))


def assignments(cloud: Cloud) -> dict[str, str]:
    """The variables that `make env` prints."""
    found = outputs(cloud)
    return {
        "OMS_URL": api_url(cloud, found),
        "OMS_TOKEN": token(cloud, found),
        **{
            f"OMS_SECRET_{name.upper().replace('/', '_')}": value
            for name, value in sorted(sender_secrets(cloud, found).items())
        },
    }
