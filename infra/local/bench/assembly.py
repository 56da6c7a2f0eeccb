"""What the synthesised templates say: functions, their code, and what stands there idle."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from infra.local.prices import usd
from oms.contracts.routes import ROUTES

MONTH_MINUTES = 30 * 24 * 60
POLLERS = 5  # that Lambda keeps asking a queue, each every twenty seconds
POLLS_A_MINUTE = 3
MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
SCHEDULED_SECONDS = 0.2  # of a scheduled call that finds nothing to do
SAMPLES = {  # as long as the real ones
    "requestId": "JKJaXmPLvHcESHA=",
    "routeKey": "POST /fulfillment-orders/{id}/deliver",
    "status": "200",
    "responseLatency": "123",
    "authorizer.claims.client_id": "1example23456789abcdefghij",
}


class Function(NamedTuple):
    """`paths` are its layers and its own code, in the order of `sys.path`."""

    name: str
    handler: str
    memory: int
    paths: tuple[Path, ...]

    @property
    def is_api(self) -> bool:
        """Somebody waits for its answer."""
        return self.name in {route.function_id for route in ROUTES}


@dataclass(frozen=True)
class Assembly:
    home: Path

    @cached_property
    def stacks(self) -> list[str]:
        names = sorted(self.home.glob("*.template.json"))
        return [path.name.removesuffix(".template.json") for path in names]

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for stack in self.stacks:
            found |= json.loads((self.home / f"{stack}.template.json").read_text())["Resources"]
        return found

    @cached_property
    def assets(self) -> dict[str, Path]:
        """Folders by the names under which the templates know them."""
        found: dict[str, Path] = {}
        for stack in self.stacks:
            listing = json.loads((self.home / f"{stack}.assets.json").read_text())
            for asset in listing["files"].values():
                if asset["source"]["packaging"] == "zip":
                    places = asset["destinations"].values()
                    path = self.home / asset["source"]["path"]
                    found |= {place["objectKey"]: path for place in places}
        return found

    def of_type(self, kind: str) -> Iterator[dict[str, Any]]:
        return (each["Properties"] for each in self.resources.values() if each["Type"] == kind)

    @cached_property
    def functions(self) -> list[Function]:
        return [self.function(each) for each in self.of_type("AWS::Lambda::Function")]

    def function(self, declared: dict[str, Any]) -> Function:
        layers = [self.resources[each["Ref"]]["Properties"] for each in declared["Layers"]]
        paths = [self.assets[layer["Content"]["S3Key"]] / "python" for layer in layers]
        name = declared["FunctionName"].rpartition("-")[2]
        code = self.assets[declared["Code"]["S3Key"]]
        return Function(name, declared["Handler"], declared["MemorySize"], (*paths, code))

    def targets_of(self, detail_type: str) -> int:
        """How many targets an event of this type is brought to."""
        return sum(
            len(rule["Targets"])
            for rule in self.of_type("AWS::Events::Rule")
            if detail_type in rule.get("EventPattern", {}).get("detail-type", ())
        )

    def queued(self, detail_type: str) -> int:
        """How many of them are queues."""
        return sum(
            self.kind_of(target) == "AWS::SQS::Queue"
            for rule in self.of_type("AWS::Events::Rule")
            if is_for(detail_type, rule.get("EventPattern"))
            for target in rule["Targets"]
        )

    def kind_of(self, target: dict[str, Any]) -> str:
        name = target["Arn"].get("Fn::GetAtt", [""])[0]
        return str(self.resources.get(name, {}).get("Type", ""))

    @cached_property
    def access_line_bytes(self) -> int:
        """Of one request's line in the API's access log, which the emulator does not write."""
        stage = next(self.of_type("AWS::ApiGatewayV2::Stage"))
        form = stage["AccessLogSettings"]["Format"]
        return len(re.sub(r"\$context\.([\w.]*\w)", lambda m: SAMPLES.get(m[1], "-"), form))

    def idle_month(self) -> dict[str, float]:
        """Dollars that a month costs in which nobody orders."""
        return {
            "keys": usd("key_month", self.count("AWS::KMS::Key")),
            "secrets": usd("secret_month", self.count("AWS::SecretsManager::Secret")),
            "alarms": usd("alarm_month", self.count("AWS::CloudWatch::Alarm")),
            "machine clients": usd("machine_client_month", len(list(self.machine_clients()))),
            "queue polling": usd("sqs_request", self.polls()),
            "schedules": self.scheduled_calls() * CALL_USD,
        }

    def count(self, kind: str) -> int:
        return len(list(self.of_type(kind)))

    def machine_clients(self) -> Iterator[dict[str, Any]]:
        clients = self.of_type("AWS::Cognito::UserPoolClient")
        return (each for each in clients if "client_credentials" in each["AllowedOAuthFlows"])

    def polls(self) -> float:
        mappings = self.of_type("AWS::Lambda::EventSourceMapping")
        queues = [each for each in mappings if "StartingPosition" not in each]
        return float(len(queues) * POLLERS * POLLS_A_MINUTE * MONTH_MINUTES)

    def scheduled_calls(self) -> float:
        rules = self.of_type("AWS::Events::Rule")
        rates = [each["ScheduleExpression"] for each in rules if "ScheduleExpression" in each]
        return sum(MONTH_MINUTES / minutes_of(rate) for rate in rates)


CALL_USD = usd("lambda_request", 1) + usd("lambda_gb_second", SCHEDULED_SECONDS * 0.25)


def minutes_of(rate: str) -> int:
    """`rate(5 minutes)` -> 5"""
    number, unit = rate.removeprefix("rate(").removesuffix(")").split()
    return int(number) * MINUTES[unit.removesuffix("s")]


class Bytecode(NamedTuple):
    sources: int
    compiled: int

    @property
    def percent(self) -> float:
        return 100.0 * self.compiled / self.sources if self.sources else 100.0


def bytecode(assembly: Assembly) -> dict[str, Bytecode]:
    """By asset: how many of its sources have their bytecode beside them."""
    return {path.name: bytecode_in(path) for path in sorted(set(assembly.assets.values()))}


def bytecode_in(folder: Path) -> Bytecode:
    sources = [path for path in folder.rglob("*.py") if path.is_file()]
    return Bytecode(len(sources), sum(has_bytecode(source) for source in sources))


def is_for(detail_type: str, pattern: dict[str, Any] | None) -> bool:
    """A pattern that names neither types nor details is for all events."""
    if pattern is None or "detail" in pattern:
        return False
    return detail_type in pattern.get("detail-type", (detail_type,))


def has_bytecode(source: Path) -> bool:
    return any((source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"))
