"""`python -m infra.local.replay FILE`: what `make replay` calls."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.client import Client
from infra.local.cloud import Cloud, CloudError, current
from infra.local.replay.history import BadHistory
from infra.local.replay.journal import Journal
from infra.local.replay.replay import WORKERS, Replay
from infra.local.replay.report import tell
from infra.local.replay.reporting import reported
from infra.local.replay.selection import Selection, largest

INTERRUPTED = 130


def main() -> None:
    try:
        sys.exit(run(arguments()))
    except (BadHistory, CloudError) as error:
        sys.exit(f"baton: {error}")
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        sys.exit(INTERRUPTED)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make replay",
        description="Stream an order history (UCI Online Retail: csv, csv.gz) through the API.",
        epilog="Safe to interrupt and to run twice: an invoice is ordered once, cancelled once.",
    )
    add = parser.add_argument
    add("file", type=Path, help="the history, in time order")
    add("--limit", type=int, metavar="N", help="the first N invoices of the file")
    add(
        "--largest",
        type=int,
        default=0,
        metavar="K",
        help="with --limit: among the N are the K invoices with the most lines and the K with the "
        "most units in a line, wherever in the file they are",
    )
    add("--only", default="", metavar="INVOICE,…", help="just these invoices")
    add("--workers", type=int, default=WORKERS, help=f"requests at a time (default {WORKERS})")
    return parser.parse_args(given)


def run(asked: argparse.Namespace) -> int:
    cloud = running_cloud()
    selection = selected(asked)
    journal = Journal.of(asked.file, cloud.home)
    try:
        api = Client.of(cloud)
        outcome = Replay(api, journal, selection, asked.workers).run()
        outcome.reported = reported(cloud, api)
        return 0 if tell(outcome, journal) else 1
    finally:
        journal.close()


def running_cloud() -> Cloud:
    cloud = current()
    if cloud is None:
        raise CloudError("no embedded cloud is running: start it with `make up`")
    return cloud


def selected(asked: argparse.Namespace) -> Selection:
    singled_out = largest(asked.file, asked.largest) if asked.largest else frozenset()
    only = frozenset(asked.only.split(",")) if asked.only else frozenset()
    return Selection(asked.file, asked.limit, only, singled_out)


if __name__ == "__main__":
    main()
