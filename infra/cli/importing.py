"""`oms import`: orders of tills and of wholesale, from a file."""

import argparse
import time
from pathlib import Path

from infra.cli.asking import Commands, Said, command
from infra.local.client import Client, Json
from infra.local.stock_files import download, imported, tell


def offer(commands: Commands) -> None:
    parser = command(
        commands,
        "import",
        import_file,
        "place the orders of a CSV",
        "What is refused comes back as a CSV with reasons; mended, it can be imported again: an "
        "order that is there is not placed twice. The exit status is 1 when a row was refused.",
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--channel", required=True, help="whose orders they are: till:berlin")
    parser.add_argument("--refused", type=Path, help="where refused rows go: FILE.refused.csv")


def import_file(client: Client, asked: argparse.Namespace) -> Said:
    job = import_orders(client, asked.file, asked.channel, asked.refused, quiet=asked.json)
    return Said(job, well=not job["progress"]["refused"])


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
