"""Embedded clouds for tests: each its own process, home and port, gone when the test is done."""

import io
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from infra.local import access
from infra.local.cloud import Cloud, free_port
from infra.local.deploy import Outputs, deploy
from infra.local.synth import ASSEMBLY, synthesize

T = TypeVar("T")
ACCOUNTS = count(100_000_000_001)


@contextmanager
def bare_cloud(
    *, auth: bool = False, persist: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[Cloud]:
    """Nothing deployed: starts in a second or two."""
    with tempfile.TemporaryDirectory(prefix="baton-") as home:
        ours = {"LOCAL_PARENT": str(os.getpid()), **(settings or {})}
        cloud = Cloud(Path(home), free_port(), persist=persist, auth=auth, settings=ours)
        cloud.start()
        try:
            yield cloud
        finally:
            cloud.kill()


@dataclass(frozen=True)
class DeployedCloud:
    """The whole app on an embedded cloud of its own, IAM enforced."""

    cloud: Cloud
    outputs: Outputs

    @property
    def url(self) -> str:
        return access.api_url(self.cloud, self.outputs)

    def token(self, *scopes: str) -> str:
        """A bearer token with these scopes ("oms/orders.read"), or with all."""
        return access.token(self.cloud, self.outputs, scopes)

    @cached_property
    def secrets(self) -> dict[str, str]:
        """By sender of webhooks."""
        return access.sender_secrets(self.cloud, self.outputs)


@contextmanager
def deployed_cloud(
    *, persist: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[DeployedCloud]:
    """Synthesised once per content, deployed in about two seconds."""
    synthesize()
    with bare_cloud(auth=True, persist=persist, settings=settings) as cloud:
        app = DeployedCloud(cloud, deploy(cloud, ASSEMBLY))
        assert app.secrets
        yield app


def fresh_account() -> str:
    """An empty AWS account: pass it to `cloud.client(service, account)`."""
    return str(next(ACCOUNTS))


def deploy_function(cloud: Cloud, source: str, **settings: Any) -> str:
    """A function of one file, `index.handler`; answers its name."""
    name = f"f{next(ACCOUNTS)}"
    cloud.client("lambda").create_function(
        **{
            "FunctionName": name,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/any",
            "Code": {"ZipFile": zipped(source)},
            "Timeout": 10,
            **settings,
        }
    )
    return name


def eventually(ask: Callable[[], T | None], seconds: float = 10) -> T:
    """The first answer that is neither None nor empty."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.05)
    return answer


def zipped(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as contents:
        contents.writestr("index.py", source)
    return archive.getvalue()
