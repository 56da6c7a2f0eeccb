"""`make load-stock FILE=…`, `make export-stock FILE=…`: stock levels as CSV, through the API."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local.__main__ import running_cloud
from infra.local.client import Client, Json, connect, segment
from infra.local.cloud import CloudError
from infra.local.install import LOCAL
from infra.local.replay.progress import Shown, shown

TICK = 0.5
PATIENCE = 300.0  # seconds without any progress
UNFINISHED = frozenset({"queued", "running"})
CHUNK = 1024 * 1024


def main() -> None:
    try:
        COMMANDS[sys.argv[1]](Client.of(running_cloud()), named(sys.argv[2]))
    except CloudError as error:
        sys.exit(f"baton: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def load(client: Client, path: Path, refused_to: Path = LOCAL) -> Json:
    """What became of it: the job as it ended."""
    started = time.monotonic()
    job = imported(client, "/stock/imports", {}, path, "stock levels")
    tell(job, "loaded", time.monotonic() - started)
    if "refused" in job.get("files", {}):
        told = refused_to / f"{job['job_id']}.refused.csv"
        download(job["files"]["refused"], told)
        print(f"  refused rows, each with its reason: {shown_path(told)}")
    return job


def imported(
    client: Client, route: str, said: Json, path: Path, title: str, *, quiet: bool = False
) -> Json:
    """Announced, uploaded and started; the job as it ended."""
    asked = client.post(route, {**said, "size": size_of(path)})
    job_id = asked["job"]["job_id"]
    if not quiet:
        print(f"  {job_id}")
    upload(asked["upload"], path)
    client.post(f"{route}/{segment(job_id)}/start")
    return followed(client, job_id, title, quiet=quiet)


def export(client: Client, path: Path) -> Json:
    started = time.monotonic()
    job_id = client.post("/stock/exports")["job_id"]
    job = followed(client, job_id, "stock levels")
    download(job["files"]["levels"], path)
    tell(job, "exported", time.monotonic() - started)
    return job


def named(path: str) -> Path:
    if not path:
        raise CloudError("which file? make load-stock FILE=levels.csv")
    return Path(path)


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise CloudError(f"{path}: {error.strerror}") from error


def upload(link: Json, path: Path) -> None:
    connection = connect(link["url"])
    with path.open("rb") as source:
        headers = {**link["headers"], "Content-Length": str(size_of(path))}
        connection.request("PUT", target(link["url"]), source, headers)
        answer = connection.getresponse()
        said = answer.read()
    if answer.status != 200:
        raise CloudError(f"the upload was refused: {answer.status} {said[:900]!r}")


def download(link: str, path: Path) -> None:
    connection = connect(link)
    connection.request("GET", target(link))
    answer = connection.getresponse()
    if answer.status != 200:
        raise CloudError(f"the download was refused: {answer.status} {answer.read()[:300]!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as copy:
        while some := answer.read(CHUNK):
            copy.write(some)


def target(link: str) -> str:
    """What stands after the host, exactly as it was signed."""
    return "/" + link.split("://", 1)[1].partition("/")[2]


def followed(client: Client, job_id: str, title: str, *, quiet: bool = False) -> Json:
    with shown(title, quiet=quiet) as progress:
        return finished(lambda: client.get(f"/jobs/{segment(job_id)}"), progress)


def finished(ask: Callable[[], Json], progress: Shown) -> Json:
    """The job when it has ended well; one that stands still is not waited for."""
    seen, moved = -1, time.monotonic()
    while (job := ask())["status"] in UNFINISHED:
        done = job["progress"]["done"]
        if done != seen:
            seen, moved = done, time.monotonic()
        if time.monotonic() - moved > PATIENCE:
            raise CloudError(f"{job['job_id']} stands still: see docs/operations.md")
        progress.step(done, job["progress"]["total"] or None, told(job["progress"]))
        time.sleep(TICK)
    if job["status"] != "done":
        raise CloudError(f"{job['job_id']} {job['status']}: {job.get('reason', '')}")
    progress.step(job["progress"]["done"], job["progress"]["total"], told(job["progress"]))
    return job


def told(progress: dict[str, Any]) -> str:
    return f"{progress['refused']:,} refused" if progress["refused"] else ""


def tell(job: Json, verb: str, seconds: float) -> None:
    progress = job["progress"]
    fine = progress["done"] - progress["refused"]
    rate = progress["done"] / seconds
    print(
        f"  {fine:,} {verb}, {progress['refused']:,} refused "
        f"in {seconds:.1f} s ({rate:,.0f} rows a second)"
    )


def shown_path(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


COMMANDS: dict[str, Callable[[Client, Path], Json]] = {"load": load, "export": export}

if __name__ == "__main__":
    main()
