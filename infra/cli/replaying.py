"""`oms replay`: read again what a shop said and nobody understood."""

import argparse

from infra.cli.asking import Commands, Said, command, listed, table
from infra.local.client import Client, Json, segment


def offer(commands: Commands) -> None:
    parser = command(
        commands,
        "replay",
        replay,
        "read again what shops said and nobody understood",
        "Without a message, all that stand in the inbox. What is still not understood stays there.",
    )
    parser.add_argument("messages", nargs="*", help="ids of messages, as the inbox lists them")
    parser.add_argument("--list", action="store_true", help="only show what stands in the inbox")


def replay(client: Client, asked: argparse.Namespace) -> Said:
    if asked.list:
        waiting = listed(client, "/inbox")
        lines = table((m["message_id"], m["shop"], m["topic"], m["reason"]) for m in waiting)
        return Said(waiting, lines or ["the inbox is empty"], well=not waiting)
    messages = asked.messages or [each["message_id"] for each in listed(client, "/inbox")]
    said = [read_again(client, each) for each in messages]
    rows = ((each["message_id"], each["outcome"], each.get("order_id", "")) for each in said)
    return Said(said, table(rows) or ["the inbox is empty"], all(understood(e) for e in said))


def read_again(client: Client, message_id: str) -> Json:
    answer: Json = client.post(f"/inbox/{segment(message_id)}/replay")
    return answer


def understood(said: Json) -> bool:
    return str(said["outcome"]) != "failed"
