"""The emulator process: ministack on one address, with our patches.

Run by the interpreter of .local/emulator, in the environment that `Cloud.start` makes for it.
It holds a lock on its home for as long as it lives: that is how others know that it does.
"""

import asyncio
import fcntl
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import IO


def main() -> None:
    lock = hold_home(Path(os.environ["OMS_CLOUD_HOME"]))
    assert lock  # held until the process is gone
    raise_file_limit()
    if parent := os.environ.get("LOCAL_PARENT"):
        threading.Thread(target=end_with, args=(int(parent),), daemon=True).start()
    from infra.local import patches

    patches.apply()
    asyncio.run(serve())
    os._exit(0)  # the state is saved; waiting executions are not waited for


def hold_home(home: Path) -> IO[str]:
    """Lock the home, and write into the lock who we are."""
    lock = (home / "emulator.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"another embedded cloud is running in {home}")
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps({"pid": os.getpid(), "port": int(os.environ["GATEWAY_PORT"])}))
    lock.flush()
    return lock


def end_with(parent: int) -> None:
    """A cloud that a test started does not outlive the test, however that ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve() -> None:
    from hypercorn.asyncio import serve as serve_asgi
    from hypercorn.config import Config
    from ministack.app import app

    from infra.local.patches import meter

    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.loglevel = os.environ.get("LOG_LEVEL", "WARNING")
    await serve_asgi(meter.served(app), config)


if __name__ == "__main__":
    main()
