"""`oms lake`: questions about all that has happened, answered by DuckDB from the same files."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from infra.cli.asking import Commands, Said, command, table
from infra.cli.redriving import client_of
from infra.local.client import Client
from infra.local.cloud import CloudError
from infra.questions import Question, questions
from oms.adapters.lake import EVENTS

# Athena's names for what DuckDB calls otherwise.
AS_ATHENA = (
    "CREATE MACRO json_extract_scalar(said, path) AS json_extract_string(said, path)",
    "CREATE MACRO approx_percentile(figure, share) AS quantile_cont(figure, share)",
)


def offer(commands: Commands) -> None:
    names = ", ".join(each.name for each in questions())
    parser = command(
        commands,
        "lake",
        lake,
        "ask the archive of events, as Parquet, by SQL",
        f"Without a question, those that there are: {names}. An own question reads `events`.",
    )
    parser.add_argument("question", nargs="?", help="a name, or SQL over `events`")


def lake(client: Client, asked: argparse.Namespace) -> Said:  # noqa: ARG001
    known = {each.name: each for each in questions()}
    if asked.question is None:
        purposes = {name: each.purpose for name, each in known.items()}
        return Said(purposes, table(purposes.items()))
    question = known.get(asked.question) or Question("", "", asked.question.strip())
    with tempfile.TemporaryDirectory() as place:
        if not fetched(Path(place)):
            raise CloudError("the lake is empty: it is filled every hour")
        names, rows = answered(question, Path(place))
    answer = [dict(zip(names, map(plain, row), strict=True)) for row in rows]
    return Said(answer, table([names, *(tuple(map(plain, row)) for row in rows)]))


def fetched(place: Path) -> int:
    """How many files; each under its day."""
    s3, bucket, files = client_of("s3"), bucket_name(), 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{EVENTS}/"):
        for each in page.get("Contents", ()):
            path = place / str(each["Key"]).removeprefix(f"{EVENTS}/")
            path.parent.mkdir(exist_ok=True)
            s3.download_file(bucket, each["Key"], str(path))
            files += 1
    return files


def bucket_name() -> str:
    stacks = client_of("cloudformation").describe_stacks(StackName="OmsData")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
    return str(outputs["FilesBucket"])


def answered(question: Question, place: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns, and the rows."""
    import duckdb

    with duckdb.connect(":memory:") as duck:
        for macro in AS_ATHENA:
            duck.execute(macro)
        files = f"{place}/*/*.parquet"
        told = f"(SELECT * FROM read_parquet('{files}', hive_partitioning = true))"
        try:
            found = duck.execute(question.asked_of(told))
        except duckdb.Error as error:
            raise CloudError(str(error).splitlines()[0]) from None
        return [name for name, *_ in found.description], found.fetchall()


def plain(cell: Any) -> Any:
    return cell if isinstance(cell, int | str | None) else str(cell)
