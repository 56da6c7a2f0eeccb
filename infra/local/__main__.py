"""`python -m infra.local up|down|clean|env|logs`: what the Makefile calls."""

import shlex
import shutil
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from infra.local import access, logs
from infra.local.cloud import Cloud, CloudError, chosen_port, current, require_free
from infra.local.deploy import deploy
from infra.local.install import LOCAL
from infra.local.synth import ASSEMBLY, synthesize

INSTALLED = {"venv", "emulator", "runtime", "installer", "cache", "build", "cdk.out", "synth.lock"}
T = TypeVar("T")


def main() -> None:
    try:
        COMMANDS[sys.argv[1]]()
    except CloudError as error:
        sys.exit(f"baton: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def up() -> None:
    running = current()
    if running is None:
        require_free(chosen_port())
    step("synthesis of the app", synthesize)
    cloud = running or step("embedded cloud on 127.0.0.1", start)
    found = step("deployment of the stacks", lambda: deploy(cloud, ASSEMBLY))
    access.sender_secrets(cloud, found)


def start() -> Cloud:
    cloud = Cloud(port=chosen_port())
    cloud.start()
    return cloud


def step(title: str, work: Callable[[], T]) -> T:
    started = time.monotonic()
    print(f"  {title} … ", end="", flush=True)
    try:
        result = work()
    except BaseException:
        print("failed")
        raise
    print(f"{time.monotonic() - started:.1f} s")
    return result


def down() -> None:
    cloud = current()
    if cloud is None:
        print("no embedded cloud is running")
        return
    cloud.stop()
    print(f"stopped; its data is kept in {LOCAL.name}/ for the next `make up`")


def clean() -> None:
    cloud = current()
    if cloud:
        cloud.kill()
    for path in (path for path in LOCAL.iterdir() if path.name not in INSTALLED):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    print("the data of the embedded cloud is gone")


def env() -> None:
    for name, value in access.assignments(running_cloud()).items():
        print(f"export {name}={shlex.quote(value)}")


def show_logs() -> None:
    logs.follow(running_cloud())


def running_cloud() -> Cloud:
    cloud = current()
    if cloud is None:
        raise CloudError("no embedded cloud is running: start it with `make up`")
    return cloud


COMMANDS = {"up": up, "down": down, "clean": clean, "env": env, "logs": show_logs}

if __name__ == "__main__":
    main()
