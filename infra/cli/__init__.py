"""`oms`: what people do with Baton from a shell.

    oms find ada@example.com
    oms show ord_…
    oms books

It talks to `OMS_URL` with `OMS_TOKEN`, as `make -s env` prints them and docs/operations.md sets
them for AWS; without them, to the embedded cloud that runs here. `--json` prints what the API
said; the exit status is 0 when all is well, 1 when something is not, 2 when it was not understood.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from infra.cli import books, finding, importing, lake, reconciling, redriving, replaying, showing
from infra.cli.asking import Said, client
from infra.local.cloud import CloudError

ROOMS = (finding, showing, redriving, replaying, books, lake, importing, reconciling)


def main(given: Sequence[str] | None = None) -> None:
    asked = arguments().parse_args(given)
    try:
        said: Said = asked.work(client(), asked)
    except CloudError as error:
        sys.exit(f"oms: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    shown = [json.dumps(said.answer, indent=2)] if asked.json else said.lines
    for line in shown:
        print(line)
    sys.exit(0 if said.well else 1)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="oms", description="What people do with Baton from a shell."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for room in ROOMS:
        room.offer(commands)
    return parser
