"""Install what the project runs on, under .local/, from locks with hashes.

Started by whatever `python3` the machine has, so: the standard library only.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
NEEDED_BYTES = 2_500_000_000


class InstallError(Exception):
    """Said to the person in one line."""


def main() -> None:
    try:
        require_disk()
        install()
    except InstallError as error:
        sys.exit(f"baton: {error}")


def require_disk(path: Path = LOCAL, needed: int = NEEDED_BYTES) -> None:
    if (path / "venv" / STAMP).exists():
        needed //= 10
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise InstallError(
            f"no disk space: {free // 10**6} MB free in {path.parent}, {needed // 10**6} MB needed"
        )


STAMP = "installed.json"


def install() -> None:
    (LOCAL / "cache").mkdir(parents=True, exist_ok=True)
    environment("venv", "tools and libraries", "requirements/dev.txt", own_packages=True)
    environment("emulator", "embedded cloud", "requirements/emulator.txt")
    environment("runtime", "interpreter of the functions", None)


def environment(name: str, title: str, lock: str | None, own_packages: bool = False) -> None:
    """One virtual environment, made again only when its lock or the interpreter changed."""
    home = LOCAL / name
    wanted = fingerprint(lock)
    if read_stamp(home) == wanted:
        return
    started = time.monotonic()
    say(f"  install  {title} … ")
    make_venv(home, wanted)
    if lock:
        uv(home, "-r", str(ROOT / lock), "--require-hashes")
    if own_packages:
        uv(home, "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    (home / STAMP).write_text(json.dumps(wanted))
    say(f"{time.monotonic() - started:.1f} s\n")


def fingerprint(lock: str | None) -> dict[str, str]:
    text = (ROOT / lock).read_bytes() if lock else b""
    text += (ROOT / "pyproject.toml").read_bytes().split(b"[tool.ruff]")[0] if lock else b""
    return {"lock": hashlib.sha256(text).hexdigest(), "python": python_identity()}


def python_identity() -> str:
    return "{}.{}.{} {}".format(*sys.version_info[:3], os.path.realpath(sys.executable))


def read_stamp(home: Path) -> Any:
    try:
        return json.loads((home / STAMP).read_text())
    except (OSError, ValueError):
        return None


def make_venv(home: Path, wanted: dict[str, str]) -> None:
    stamp = read_stamp(home)
    if stamp and stamp["python"] == wanted["python"]:
        (home / STAMP).unlink()
        return
    shutil.rmtree(home, ignore_errors=True)
    run([sys.executable, "-m", "venv", "--without-pip", str(home)], "make an environment")


def uv(home: Path, *arguments: str) -> None:
    command = [str(installer()), "pip", "install", "--quiet", "--python", str(python_of(home))]
    run([*command, *arguments], "install packages", env=uv_environment())


def installer() -> Path:
    """The uv that installs everything else; itself installed by pip, once, by hash."""
    home = LOCAL / "installer"
    wanted = fingerprint("requirements/installer.txt")
    if read_stamp(home) != wanted:
        shutil.rmtree(home, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(home)], "make an environment")
        pip = [str(python_of(home)), "-m", "pip", "install", "--quiet", "--require-hashes"]
        run([*pip, "-r", str(ROOT / "requirements/installer.txt")], "install uv")
        (home / STAMP).write_text(json.dumps(wanted))
    return home / "bin" / "uv"


def uv_environment() -> dict[str, str]:
    """uv reads no pip configuration: hand it the index that pip uses, and the system's trust."""
    env = {"UV_CACHE_DIR": str(LOCAL / "cache" / "uv"), "UV_NO_PROGRESS": "1", **os.environ}
    env.setdefault("UV_SYSTEM_CERTS", "1")
    if index := pip_index():
        env.setdefault("UV_DEFAULT_INDEX", index)
    return env


def pip_index() -> str | None:
    """The index of pip's configuration, from a file or the environment."""
    command = [str(python_of(LOCAL / "installer")), "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rows = [line.partition("=") for line in listed.splitlines()]
    found = [value.strip("'\"") for name, _, value in rows if name.endswith(".index-url")]
    return found[-1] if found else None


def python_of(home: Path) -> Path:
    return home / "bin" / "python"


def run(command: list[str], purpose: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        say("\n" + done.stdout + done.stderr)
        raise InstallError(f"could not {purpose}; the lines above say why")


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
