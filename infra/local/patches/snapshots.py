"""The state survives `kill -9`, as of one instant a few seconds before it.

Unpatched: state is saved at a graceful stop only, each service at another moment, and what the
consumers of a table's stream have not read yet is not saved at all, although their position is;
nor are asynchronous calls.

A snapshot is written by a fork of the process: a copy of everything at one instant, written
while the original works on. Forking with DynamoDB's lock held keeps tables, their streams and the
positions of the streams' readers in step.
"""

import copy
import gc
import hashlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence
from ministack.services import dynamodb, lambda_svc

from infra.local.patches import async_calls
from infra.local.patches.source import replace

EASE = 20  # a snapshot may take a twentieth of the time
LONGEST_PAUSE = 10  # seconds; but no more than these are ever lost
PATIENCE = 120
LARGE = 100_000  # bytes
ended = threading.Event()
load_services: Any = None
list_services: Any = None
restore_value: Any = None


def apply() -> None:
    global load_services, list_services, restore_value
    restore_value = persistence._json_object_hook
    load_services = replace(app, "_load_persisted_state", "03de3b870e8f", load)
    list_services = replace(app, "_build_persistence_save_dict", "9a6393cc953d", services)
    replace(persistence, "_json_object_hook", "645fe9676147", from_json)
    replace(app, "save_all", "ea253a04fd05", save_at_stop)


def services() -> dict[str, Any]:
    own = {"stream_records": unread_records, "async_calls": async_calls.state}
    return {**list_services(), **own}


def unread_records() -> dict[str, Any]:
    """What the streams still hold for their readers, and how much went before it."""
    return {
        "records": dynamodb._stream_records,
        "trimmed": dynamodb._stream_trimmed,
    }


def load() -> None:
    load_services()
    saved = persistence.load_state("stream_records")
    if saved:
        dynamodb._stream_records._data.update(saved["records"]._data)
        dynamodb._stream_trimmed._data.update(saved["trimmed"]._data)
    calls = persistence.load_state("async_calls")
    if calls:
        async_calls.restore(calls)
    interval = float(os.environ["LOCAL_SNAPSHOT_SECONDS"])
    if interval:
        threading.Thread(target=keep_saving, args=(interval,), daemon=True).start()


def keep_saving(interval: float) -> None:
    pause = interval
    while not ended.wait(pause):
        started = time.monotonic()
        wait_for(fork_to_save())
        took = time.monotonic() - started
        pause = max(interval, min(took * EASE, LONGEST_PAUSE))


def fork_to_save() -> int:
    with dynamodb._lock, lambda_svc._dynamodb_stream_positions_lock:
        child = os.fork()
        if not child:
            save_and_exit()
    return child


def save_and_exit() -> None:
    """The child: no thread but this one, nothing shared with the parent but the disk."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.closerange(3, 65_536)  # neither our lock nor our port is its own to hold
        os.nice(10)
        gc.disable()
        vars(copy)["deepcopy"] = lambda value, *_: value  # nothing moves here: no need to copy
        save(os.getppid())
        status = 0
    except BaseException:  # noqa: BLE001 - it must never return into the parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def save(parent: int | None = None) -> None:
    """Write every service beside its old state, then let all take the old one's place."""
    written = [write(name, get_state) for name, get_state in services().items()]
    if parent in (None, os.getppid()):
        for path in filter(None, written):
            path.replace(path.with_suffix(".json"))


def write(name: str, get_state: Any) -> Path | None:
    state = get_state()
    if state is None:
        return None
    version = persistence._state_format_version(name)
    wrapped = {"__ministack_format__": version, "payload": state}
    path = Path(persistence.STATE_DIR) / f"{name}.new"
    path.write_text(json.dumps(wrapped, default=to_json))
    return path


def to_json(value: Any) -> Any:
    """Archives of code go into files of their own, written once."""
    if not isinstance(value, bytes) or len(value) < LARGE:
        return persistence._json_default(value)
    name = hashlib.sha256(value).hexdigest()
    path = Path(persistence.STATE_DIR) / "archives" / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".new").write_bytes(value)
        path.with_suffix(".new").replace(path)
    return {"__archive__": name}


def from_json(value: dict[str, Any]) -> Any:
    if "__archive__" in value:
        return (Path(persistence.STATE_DIR) / "archives" / value["__archive__"]).read_bytes()
    return restore_value(value)


def wait_for(child: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return
        time.sleep(0.02)


def save_at_stop(_services: dict[str, Any]) -> None:
    ended.set()
    with dynamodb._lock:
        save()
