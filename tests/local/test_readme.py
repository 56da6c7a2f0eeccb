"""A newcomer types what README.md says, word for word, and sees the order delivered."""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.local import summary
from infra.local.access import assignments
from infra.local.client import Client
from infra.local.install import ROOT
from infra.local.seed import seed
from tests.cloud import DeployedCloud

pytestmark = pytest.mark.system

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


@pytest.fixture(scope="module")
def house(deployed: DeployedCloud) -> DeployedCloud:
    """Seeded, as `make up` leaves it."""
    seed(Client(deployed.url, deployed.token, deployed.secrets))
    return deployed


def test_the_readme_leads_from_nothing_to_a_delivered_order(
    house: DeployedCloud, tmp_path: Path
) -> None:
    told = typed(readme_blocks(), house, tmp_path)

    assert '"status":"completed"' in told
    assert '"type":"OrderCompleted"' in told
    assert '"balanced":true' in told
    assert "ada@example.com" in told  # she was written to
    assert '"outcome":"accepted"' in told  # the shop's order
    assert "1 read, 0 refused" in told  # the till's
    assert '"can_return":' in told  # her page
    assert '"ship_by":' in told  # what can be promised


def test_what_the_demo_proposes_works_when_it_is_pasted(
    house: DeployedCloud, tmp_path: Path
) -> None:
    told = typed(proposed(), house, tmp_path)

    assert '"type":"OrderCompleted"' in told
    assert '"balanced":true' in told


def readme_blocks() -> str:
    """Every block that is marked as `sh`, in order; other blocks are not for typing here."""
    text = (ROOT / "README.md").read_text()
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S))


def proposed() -> str:
    text = summary.TRY_NEXT
    return text[text.index("eval") : text.index("  make logs")]


def typed(script: str, house: DeployedCloud, tmp_path: Path) -> str:
    """What a shell prints, in which `make` knows the cloud of the tests."""
    make = tmp_path / "make"
    make.write_text(f"#!/bin/sh\ncat {shlex.quote(str(exported(house, tmp_path)))}\n")
    make.chmod(0o755)
    (tmp_path / ".local").symlink_to(ROOT / ".local")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PATH": f"{tmp_path}{os.pathsep}{ENVIRONMENT['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exported(house: DeployedCloud, tmp_path: Path) -> Path:
    path = tmp_path / "env"
    path.write_text(lines(assignments(house.cloud)))
    return path


def lines(variables: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
