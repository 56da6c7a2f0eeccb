"""`oms redrive`: what has failed is tried again, once its cause is mended."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from infra.cli.asking import Commands, Said, command
from infra.local.client import Client, Json, segment
from infra.local.cloud import CloudError, current

AT_ONCE = 10  # messages that a queue hands out


def offer(commands: Commands) -> None:
    parser = command(
        commands,
        "redrive",
        redrive,
        "try again what has failed: an order, a shop's tasks, or a function's dead letters",
        "Whoever is called twice does a thing once.",
    )
    parser.add_argument(
        "what", help="ord_… or ret_…; CHANNEL:SHOP or tsk_…; a function: NotifyCustomer"
    )


def redrive(client: Client, asked: argparse.Namespace) -> Said:
    what = asked.what
    if what.startswith(("ord_", "ret_")):
        answer = client.post(f"/attention/{segment(what)}/retry", {})
        return Said(answer, [f"{what} goes on: {answer['status']}"])
    if what.startswith("tsk_"):
        answer = client.post(f"/tasks/{segment(what)}/redrive")
        return Said(answer, [f"{what}: {answer['state']}"])
    if ":" in what:
        return of_shop(client, what)
    return of_function(what)


def of_shop(client: Client, shop: str) -> Said:
    redriven, more = 0, True
    while more:
        answer = client.post(f"/shops/{segment(shop)}/redrive")
        redriven, more = redriven + answer["redriven"], answer["more"]
    return Said({"redriven": redriven}, [f"{redriven} tasks of {shop} are told again"])


def of_function(name: str) -> Said:
    """Each of its dead letters is given to it once more; those that fail again stay."""
    functions, queues = client_of("lambda"), client_of("sqs")
    function = full_name(functions, name)
    said = [(letter, call(functions, function, letter)) for letter in letters(queues, function)]
    for letter, failure in said:
        if not failure:
            queues.delete_message(QueueUrl=letter["queue"], ReceiptHandle=letter["ReceiptHandle"])
    failed = [failure for _, failure in said if failure]
    answer: Json = {"redriven": len(said) - len(failed), "failed": failed}
    lines = [f"{answer['redriven']} of {len(said)} done", *failed]
    return Said(answer, lines, well=not failed)


def client_of(service: str) -> Any:
    """Of the embedded cloud that runs here; without one, of whatever account the shell is in."""
    import boto3

    cloud = current()
    return cloud.client(service) if cloud else boto3.client(service)


def full_name(functions: Any, name: str) -> str:
    for page in functions.get_paginator("list_functions").paginate():
        for each in page["Functions"]:
            if each["FunctionName"].rpartition("-")[2] == name:
                return str(each["FunctionName"])
    raise CloudError(f"no function is called {name}")


def letters(queues: Any, function: str) -> Iterator[Json]:
    url = dead_letters_of(queues, function)
    seen: set[str] = set()
    while True:
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=AT_ONCE)
        fresh = [each for each in answer.get("Messages", []) if each["MessageId"] not in seen]
        if not fresh:
            return
        for each in fresh:
            seen.add(each["MessageId"])
            yield {**each, "queue": url}


def dead_letters_of(queues: Any, function: str) -> str:
    """Where its failed calls go; it says so itself."""
    config = client_of("lambda").get_function_event_invoke_config(FunctionName=function)
    arn = config["DestinationConfig"]["OnFailure"]["Destination"]
    return str(queues.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])


def call(functions: Any, function: str, letter: Json) -> str:
    """Why it failed again, or nothing."""
    body = json.loads(letter["Body"])
    event = json.dumps(body.get("requestPayload", body))
    answer = functions.invoke(FunctionName=function, Payload=event)
    failure = str(answer.get("FunctionError", ""))
    return f"{letter['MessageId']}: {failure}" if failure else ""
