"""The app as it is synthesised for AWS and for this machine: once per test run."""

import fcntl
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from infra.local.install import ROOT
from infra.local.synth import node_home

Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    path: Path

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        found = sorted(self.path.glob("*.template.json"))
        return {path.name.split(".")[0]: json.loads(path.read_text()) for path in found}

    @cached_property
    def resources(self) -> dict[str, Resource]:
        return {
            name: resource
            for template in self.templates.values()
            for name, resource in template["Resources"].items()
        }

    def of_type(self, kind: str) -> dict[str, Resource]:
        return {name: it for name, it in self.resources.items() if it["Type"] == f"AWS::{kind}"}

    @cached_property
    def functions(self) -> dict[str, Resource]:
        """By the id that workflows, routes and alarms know them by."""
        return {
            function["Properties"]["FunctionName"].split("-")[1]: function
            for function in self.of_type("Lambda::Function").values()
        }

    def unpacked(self, code: dict[str, Any]) -> Path:
        """The folder behind `Code` of a function or `Content` of a layer."""
        listings = [json.loads(path.read_text()) for path in self.path.glob("*.assets.json")]
        digest = code["S3Key"].removesuffix(".zip")
        found = [files for listing in listings if (files := listing["files"].get(digest))]
        return self.path / str(found[0]["source"]["path"])

    @property
    def layers(self) -> dict[str, Path]:
        layers = self.of_type("Lambda::LayerVersion")
        return {name: self.unpacked(it["Properties"]["Content"]) for name, it in layers.items()}

    def layers_of(self, name: str) -> list[Path]:
        """Those that a function loads."""
        loaded = [it["Ref"] for it in self.functions[name]["Properties"]["Layers"]]
        return [self.layers[layer] for layer in loaded]

    def has_packages(self, name: str, layer: str) -> bool:
        return any(layer in it["Ref"] for it in self.functions[name]["Properties"]["Layers"])

    @property
    def violations(self) -> list[dict[str, Any]]:
        report = json.loads((self.path / "validation-report.json").read_text())
        return [it for plugin in report["pluginReports"] for it in plugin["violations"]]


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """With the findings of cdk-nag."""
    return synthesised(tmp_path_factory, "aws", check=True)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    return synthesised(tmp_path_factory, "local")


def synthesised(factory: pytest.TempPathFactory, target: str, *, check: bool = False) -> Assembly:
    """The first worker of the run does it, the others wait."""
    workers = "PYTEST_XDIST_WORKER" in os.environ
    home = factory.getbasetemp().parent if workers else factory.getbasetemp()
    with (home / f"{target}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / target / "manifest.json").exists():
            synthesise(home / target, {"target": target, "check": check})
    return Assembly(home / target)


def synthesise(output: Path, context: dict[str, Any]) -> None:
    """No credentials, no region, no account: an app without look-ups can do without."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{node_home()}{os.pathsep}{os.environ['PATH']}",
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    command = [sys.executable, "-m", "infra.app"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    report = output / "validation-report.json"
    assert done.returncode == 0 or report.exists(), done.stdout + done.stderr
