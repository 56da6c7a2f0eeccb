"""How long a function takes to begin: CPU of a fresh process, against boto3's own.

Wall time on a shared machine says little; the CPU time of a process says what it had to do, and
its ratio to a reference that runs in turn with it is the same on any machine.
"""

import importlib.util
import os
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.local.bench.assembly import Function
from infra.local.cloud import REGION
from infra.local.install import LOCAL

REPEATS = 7
INTERPRETER = LOCAL / "runtime/bin/python"
BARE = "pass"
REFERENCE = "import sys; sys.path[:0] = {paths!r}\nimport boto3; boto3.client('dynamodb')"
# What a first call builds: the clients of the adapters that the function has loaded.
BEGINNING = """
import importlib, sys
sys.path[:0] = {paths!r}
importlib.import_module({module!r})
factories = {{"dynamodb": "client", "secrets": "secrets", "vault": "vault", "bus": "bus",
             "workflow": "client", "mail": "mailer"}}
for adapter, factory in factories.items():
    loaded = sys.modules.get("oms.adapters." + adapter)
    if loaded is not None:
        getattr(loaded, factory)()
"""
NAMES = (
    *("ORDERS_TABLE", "STOCK_TABLE", "CUSTOMERS_TABLE", "REPORTS_TABLE"),
    *(
        "EVENT_BUS",
        "ORDER_WORKFLOW",
        "RETURN_WORKFLOW",
        "SECRET_ID",
        "KEYS_TABLE",
        "VAULT_KEY_ID",
        "SENDER_EMAIL",
    ),
)
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "PATH": "",
    **dict.fromkeys(NAMES, "any"),
}


class Start(NamedTuple):
    """CPU milliseconds above a bare interpreter, and their ratio to the reference."""

    milliseconds: float
    ratio: float


def starts(functions: Sequence[Function], repeats: int = REPEATS) -> dict[str, Start]:
    """Each in turn, round after round: what disturbs one round disturbs all in it."""
    paths = [str(path) for path in functions[0].paths]
    reference = REFERENCE.format(paths=[*paths, str(boto3_home())])
    scripts = {"": reference} | {f.name: beginning(f) for f in functions}
    warm_up(scripts)
    rounds = [round_of(scripts) for _ in range(repeats)]
    return {
        name: Start(
            statistics.median(one[name] for one in rounds) * 1000,
            statistics.median(one[name] / one[""] for one in rounds),
        )
        for name in scripts
    }


def boto3_home() -> Path:
    """boto3 as it would be in a layer, compiled, upon the botocore that our layer has."""
    home = LOCAL / "build/boto3"
    for package in ("boto3", "s3transfer"):
        found = importlib.util.find_spec(package)
        assert found is not None
        assert found.origin is not None
        shutil.copytree(Path(found.origin).parent, home / package, dirs_exist_ok=True)
    compiling = [str(INTERPRETER), "-m", "compileall", "-q", "--invalidation-mode"]
    subprocess.run([*compiling, "unchecked-hash", str(home)], check=True)
    return home


def beginning(function: Function) -> str:
    module = function.handler.rpartition(".")[0]
    return BEGINNING.format(paths=[str(path) for path in function.paths], module=module)


def warm_up(scripts: dict[str, str]) -> None:
    """The files are in the machine's memory before anything is measured."""
    for script in scripts.values():
        cpu_of(script)


def round_of(scripts: dict[str, str]) -> dict[str, float]:
    bare = cpu_of(BARE)
    return {name: cpu_of(script) - bare for name, script in scripts.items()}


def cpu_of(script: str) -> float:
    process = subprocess.Popen(
        [str(INTERPRETER), "-I", "-c", script], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"a function does not start:\n{complaint}")
    return used.ru_utime + used.ru_stime
