"""One embedded cloud: a home directory, a port, and the process that serves it."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.local.install import LOCAL, ROOT

REGION = "us-east-1"
DEFAULT_PORT = 4566
PATIENT = Config(
    connect_timeout=5,
    read_timeout=120,
    retries={"max_attempts": 2},
    max_pool_connections=32,
    inject_host_prefix=False,
)


class CloudError(Exception):
    """Said to the person in one line."""


@dataclass(frozen=True)
class Cloud:
    """`persist` keeps the state over a restart; `auth` enforces IAM as AWS would."""

    home: Path = LOCAL
    port: int = DEFAULT_PORT
    persist: bool = True
    auth: bool = True
    settings: Mapping[str, str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "emulator.log"

    def start(self, patience: float = 60) -> None:
        require_free(self.port)
        self.prepare_home()
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(LOCAL / "emulator/bin/python"), "-m", "infra.local.emulator"],
                cwd=ROOT,
                env=self.process_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready(process, patience)

    def prepare_home(self) -> None:
        shutil.rmtree(self.home / "tmp", ignore_errors=True)
        for name in ("tmp", "state", "s3"):
            (self.home / name).mkdir(parents=True, exist_ok=True)

    def process_environment(self) -> dict[str, str]:
        """All that the emulator, and the functions under it, see of this machine."""
        home = self.home.resolve()
        return {
            "HOME": str(home / "tmp"),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # a thread for each waiting execution: keep them small
            "TMPDIR": str(home / "tmp"),
            "OMS_CLOUD_HOME": str(home),
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "PERSIST_STATE": str(int(self.persist)),
            "STATE_DIR": str(home / "state"),
            "S3_PERSIST": str(int(self.persist)),
            "S3_DATA_DIR": str(home / "s3"),
            "AUTH": str(self.auth).lower(),
            "LOG_LEVEL": "WARNING",
            "LAMBDA_ACCOUNT_CONCURRENCY": "16",
            "LAMBDA_WARM_TTL_SECONDS": "60",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOCAL_FUNCTION_PYTHON": str(LOCAL / "runtime/bin/python"),
            "LOCAL_SNAPSHOT_SECONDS": "5" if self.persist else "0",
            **(self.settings or {}),
        }

    def wait_until_ready(self, process: "subprocess.Popen[bytes]", patience: float) -> None:
        deadline = time.monotonic() + patience
        while not self.answers():
            if process.poll() is not None:
                raise CloudError(f"the embedded cloud did not start: see {self.log}")
            if time.monotonic() > deadline:
                process.kill()
                raise CloudError(f"the embedded cloud was not ready in {patience:.0f} s")
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def meter(self, *, reset: bool = False) -> dict[str, float]:
        """What was done here since the last reset, in the units that AWS bills."""
        method = "DELETE" if reset else "GET"
        request = urllib.request.Request(f"{self.url}/_baton/meter", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))

    def stop(self, patience: float = 60) -> bool:
        """Ask it to save its state and end; False when none was running."""
        holder = running(self.home)
        if holder is None:
            return False
        os.kill(holder["pid"], signal.SIGTERM)
        deadline = time.monotonic() + patience
        while running(self.home):
            if time.monotonic() > deadline:
                self.kill()
                break
            time.sleep(0.05)
        return True

    def kill(self) -> None:
        """End it as a power cut would."""
        holder = running(self.home)
        if holder:
            with suppress(ProcessLookupError):
                os.kill(holder["pid"], signal.SIGKILL)
            while running(self.home):
                time.sleep(0.02)

    def client(self, service: str, account: str = "test") -> Any:
        """A client of this cloud; a 12-digit `account` is an account of its own."""
        return client_of(self.url, service, account)

    def resource(self, service: str, account: str = "test") -> Any:
        return session_of(account).resource(
            service,
            endpoint_url=self.url,
            config=PATIENT,
        )

    def environment(self, account: str = "test") -> dict[str, str]:
        """What a process needs to have this cloud for its AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


@cache
def client_of(url: str, service: str, account: str) -> Any:
    return session_of(account).client(
        service,
        endpoint_url=url,
        config=PATIENT,
    )


def session_of(account: str) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=account, aws_secret_access_key="test", region_name=REGION
    )


def running(home: Path = LOCAL) -> Any:
    """`{"pid", "port"}` of the cloud that lives in this home, or None."""
    path = home / "emulator.lock"
    if not path.exists():
        return None
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return read_holder(path)
    return None


def read_holder(path: Path) -> Any:
    """The lock is taken a moment before its holder has written its name."""
    for _ in range(100):
        with suppress(ValueError):
            return json.loads(path.read_text())
        time.sleep(0.01)
    raise CloudError(f"{path} does not say who holds it")


def current(home: Path = LOCAL) -> Cloud | None:
    holder = running(home)
    return Cloud(home, holder["port"]) if holder else None


def chosen_port() -> int:
    text = os.environ.get("OMS_PORT", str(DEFAULT_PORT))
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise CloudError(f"OMS_PORT={text} is no port: choose one from 1024 to 65535")
    return int(text)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    if is_free(port):
        return
    raise CloudError(
        f"port {port} is in use by {owner_of(port)}, not by this embedded cloud; "
        f"choose another: OMS_PORT={port + 100} make up"
    )


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def owner_of(port: int) -> str:
    """The program that listens on the port, as far as this system tells."""
    inodes = {row[9] for row in listening_sockets() if int(row[1].split(":")[1], 16) == port}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if str(link.readlink()).removeprefix("socket:[").removesuffix("]") in inodes:
                return describe(link.parts[2])
    return "another program"


def listening_sockets() -> list[list[str]]:
    rows: list[list[str]] = []
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            rows += [line.split() for line in Path(name).read_text().splitlines()[1:]]
    return [row for row in rows if row[3] == "0A"]


def describe(pid: str) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return f"pid {pid} ({' '.join(command)[:60].strip()})"
