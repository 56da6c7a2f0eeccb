"""`oms books`: do units and money balance?"""

import argparse

from infra.cli.asking import Commands, Said, command, table
from infra.local.client import Client, Json


def offer(commands: Commands) -> None:
    command(
        commands,
        "books",
        books,
        "check that units and money balance",
        "Every difference with what was expected; the exit status is 1 when there is one.",
    )


def books(client: Client, asked: argparse.Namespace) -> Said:  # noqa: ARG001
    whole = everything(client)
    rows = [(d["subject"], d["rule"], d["expected"], d["actual"]) for d in whole["differences"]]
    counted = table((name, f"{n:,}") for name, n in sorted(whole["counted"].items()))
    verdict = "the books balance" if whole["balanced"] else f"{len(rows)} differences"
    return Said(whole, [*table(rows), *counted, verdict], whole["balanced"])


def everything(client: Client) -> Json:
    """Large shops answer in parts."""
    whole: Json = {"balanced": True, "differences": [], "counted": {}}
    cursor: Json = {}
    while True:
        part = client.get("/books", **cursor)
        whole["balanced"] &= part["balanced"]
        whole["differences"] += part["differences"]
        for name, count in part["counted"].items():
            whole["counted"][name] = whole["counted"].get(name, 0) + count
        if not part.get("cursor"):
            return whole
        cursor = {"cursor": part["cursor"]}
