"""`oms reconcile`: a statement of a provider, a carrier or a channel against what we have done."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.cli.asking import Commands, Said, command, listed, money, table
from infra.local.client import Client, Json, segment
from infra.local.stock_files import download, followed, size_of, upload

ROUTE = "/reconciliations"
KINDS = {
    "payouts": "payouts",
    "carrier": "carrier_invoice",
    "channel": "channel_orders",
}
SHOWN = ("different", "missing_here", "missing_there", "duplicate")
MOST = 20  # lines of each outcome that are shown


def offer(commands: Commands) -> None:
    parser = command(
        commands,
        "reconcile",
        reconcile,
        "compare a statement of others with what we have done",
        "What does not agree becomes tasks, and a CSV of all lines is written beside the file. The "
        "same file again changes nothing, a corrected one takes its place. The exit status is 1 "
        "when something does not agree.",
    )
    parser.add_argument("what", choices=sorted(KINDS))
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--source", required=True, help="stripe, adyen, paypal, ups, dhl, a channel"
    )
    parser.add_argument("--from", dest="first", required=True, help="the statement's first day")
    parser.add_argument("--to", dest="last", required=True, help="its last day")
    parser.add_argument("--format", help="its columns: the source's own, or generic")
    parser.add_argument("--channel", help="of payouts: whose numbers orders are named by")
    parser.add_argument("--provider", help="what we have recorded it as: external, easypost")
    parser.add_argument("--currency", help="of a file that names none")
    parser.add_argument("--result", type=Path, help="where all lines go: FILE.result.csv")


def reconcile(client: Client, asked: argparse.Namespace) -> Said:
    announced = client.post(ROUTE, asked_for(asked))
    identity = announced["reconciliation"]["reconciliation_id"]
    upload(announced["upload"], asked.file)
    client.post(f"{ROUTE}/{segment(identity)}/start")
    followed(client, identity, "lines", quiet=asked.json)
    found = client.get(f"{ROUTE}/{segment(identity)}")
    for what, link in found.get("files", {}).items():
        download(link, target(asked, what))
    lines = [] if asked.json else list(told(client, asked, found))
    return Said(found, lines, well=agrees(found))


def asked_for(asked: argparse.Namespace) -> Json:
    said = {name: getattr(asked, name) for name in ("format", "channel", "provider", "currency")}
    return {
        "kind": KINDS[asked.what],
        "source": asked.source,
        "period": {"first": asked.first, "last": asked.last},
        "size": size_of(asked.file),
        **{name: value for name, value in said.items() if value},
    }


def target(asked: argparse.Namespace, what: str) -> Path:
    path: Path = asked.file
    return asked.result if what == "result" and asked.result else path.with_suffix(f".{what}.csv")


def agrees(found: Json) -> bool:
    return not found.get("refused") and not any(
        each["outcome"] in SHOWN for each in found.get("sums", [])
    )


def told(client: Client, asked: argparse.Namespace, found: Json) -> Iterator[str]:
    if found.get("same_as"):
        yield f"this content was reconciled before, as {found['same_as']}: nothing has changed"
    sums = [("outcome", "lines", "stated", "ours"), *map(sum_of, found.get("sums", []))]
    yield from table(sums)
    for fee in found.get("fees", []):
        yield f"kept as fees: {money(fee['amount'], fee['currency'])}"
    if found.get("refused"):
        yield f"refused rows, each with its reason: {target(asked, 'refused')}"
    outcomes = {each["outcome"] for each in found.get("sums", [])}
    for outcome in (each for each in SHOWN if each in outcomes):
        yield from wrong(client, found["reconciliation_id"], outcome)


def sum_of(each: Json) -> tuple[Any, ...]:
    currency = each["currency"]
    stated, ours = money(each["stated"], currency), money(each["ours"], currency)
    return each["outcome"], each["count"], stated, ours


def wrong(client: Client, identity: str, outcome: str) -> Iterator[str]:
    path = f"{ROUTE}/{segment(identity)}/lines"
    for each in listed(client, path, MOST, outcome=outcome):
        yield f"  {each['proposal']}"
