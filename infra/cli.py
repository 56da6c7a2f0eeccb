"""`oms`: what people do with Baton from a shell.

    oms import orders.csv --channel till:berlin [--json]

It talks to `OMS_URL` with `OMS_TOKEN`, as `make -s env` prints them and docs/operations.md sets
them for AWS; without them, to the embedded cloud that runs here.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infra.local.__main__ import running_cloud
from infra.local.client import Client, Json
from infra.local.cloud import CloudError
from infra.local.stock_files import download, imported, tell


def main(given: Sequence[str] | None = None) -> None:
    asked = arguments().parse_args(given)
    try:
        job = import_orders(client(), asked.file, asked.channel, asked.refused, quiet=asked.json)
    except CloudError as error:
        sys.exit(f"oms: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    if asked.json:
        print(json.dumps(job, indent=2))
    sys.exit(1 if job["progress"]["refused"] else 0)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oms", description="What Baton does for you.")
    commands = parser.add_subparsers(required=True, metavar="command")
    orders = commands.add_parser(
        "import",
        help="place the orders of a CSV",
        description="Place the orders of a CSV. What is refused comes back as a CSV with reasons; "
        "mended, it can be imported again: an order that is there is not placed twice.",
    )
    orders.add_argument("file", type=Path)
    orders.add_argument("--channel", required=True, help="whose orders they are: till:berlin")
    orders.add_argument("--refused", type=Path, help="where refused rows go: FILE.refused.csv")
    orders.add_argument("--json", action="store_true", help="print the job as it ended")
    return parser


def client() -> Client:
    url, token = os.environ.get("OMS_URL"), os.environ.get("OMS_TOKEN")
    return Client(url, lambda: token) if url and token else Client.of(running_cloud())


def import_orders(
    client: Client, path: Path, channel: str, refused_to: Path | None, *, quiet: bool = False
) -> Json:
    """The job as it ended."""
    began = time.monotonic()
    job = imported(client, "/orders/imports", {"channel": channel}, path, "orders", quiet=quiet)
    refused = job.get("files", {}).get("refused")
    told = refused_to or path.with_suffix(".refused.csv")
    if refused:
        download(refused, told)
    if not quiet:
        tell(job, "read", time.monotonic() - began)
    if refused and not quiet:
        print(f"  refused rows, each with its reason: {told}")
    return job


if __name__ == "__main__":
    main()
