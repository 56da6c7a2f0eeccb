import importlib
from pathlib import Path

from infra.local.install import ROOT
from oms.adapters.payments import BY_HAND, PROVIDERS, SETTINGS
from tests.infra.conftest import Assembly, Resource

GIVEN_TO_ALL = {"POWERTOOLS_SERVICE_NAME"}


def handlers() -> dict[str, Path]:
    return {
        f"functions.{path.parent.name}.{path.stem}.handler": path
        for path in (ROOT / "functions").glob("*/*.py")
        if "def handler(" in path.read_text()
    }


def test_every_handler_is_deployed_and_every_deployment_has_a_handler(aws: Assembly) -> None:
    deployed = [function["Properties"]["Handler"] for function in aws.functions.values()]

    assert sorted(deployed) == sorted(handlers())


def test_a_function_is_called_what_its_file_is_called(aws: Assembly) -> None:
    for name, function in aws.functions.items():
        _, capability, stem, _ = function["Properties"]["Handler"].split(".")
        words = [capability, "api"] if stem == "api" else stem.split("_")
        assert name == "".join(word.capitalize() for word in words)


def test_a_function_is_given_what_it_reads_and_nothing_else(aws: Assembly) -> None:
    for function in aws.functions.values():
        module = importlib.import_module(function["Properties"]["Handler"].rpartition(".")[0])
        given = function["Properties"]["Environment"]["Variables"].keys() - GIVEN_TO_ALL
        assert given == set(module.ENVIRONMENT), module.__name__


def test_only_the_embedded_cloud_takes_orders_that_nobody_pays_for(
    aws: Assembly, local: Assembly
) -> None:
    assert {"external", "store_credit", "gift_card"} <= providers(aws) <= set(PROVIDERS) - {"test"}
    assert providers(local) == providers(aws) | BY_HAND | {"test"}


def providers(assembly: Assembly) -> set[str]:
    environment = assembly.functions["CaptureApi"]["Properties"]["Environment"]["Variables"]
    return set(environment["PAYMENT_PROVIDERS"].split(","))


def test_who_asks_a_provider_has_its_library_and_may_read_its_key(aws: Assembly) -> None:
    asking = {name for name in aws.functions if aws.has_packages(name, "Payments")}

    assert asking == {name for name in aws.functions if set(SETTINGS) <= environment(aws, name)}
    assert {"AuthorizePayment", "CapturePayment", "ReconcileOrders", "RefundPayment"} <= asking
    assert {"CaptureApi", "RouteOrder", "PaymentsApi"}.isdisjoint(asking)


def environment(assembly: Assembly, name: str) -> set[str]:
    return set(assembly.functions[name]["Properties"]["Environment"]["Variables"])


def test_functions_are_small_and_run_on_arm(aws: Assembly) -> None:
    for function in aws.functions.values():
        properties = function["Properties"]
        assert properties["MemorySize"] <= 512
        assert properties["Architectures"] == ["arm64"]
        assert properties["Runtime"] == "python3.13"


def test_the_gateway_waits_for_no_function_longer_than_it_can(aws: Assembly) -> None:
    for name, function in aws.functions.items():
        if name.endswith(("Api", "Webhook")) or name == "ReceiveChannelOrder":
            assert function["Properties"]["Timeout"] == 29


def test_every_log_is_kept_for_a_while_and_not_for_ever(aws: Assembly) -> None:
    groups = aws.of_type("Logs::LogGroup")
    logs_of_functions = [
        function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for function in aws.functions.values()
    ]

    assert set(logs_of_functions) <= groups.keys()
    assert len(set(logs_of_functions)) == len(aws.functions)
    assert all(it["Properties"]["RetentionInDays"] == 14 for it in groups.values())


def test_nothing_is_traced_by_default(aws: Assembly) -> None:
    assert not any("TracingConfig" in it["Properties"] for it in aws.functions.values())


def test_each_function_has_a_role_of_its_own(aws: Assembly) -> None:
    roles = [role_of(function) for function in aws.functions.values()]

    assert len(set(roles)) == len(roles)


def role_of(function: Resource) -> str:
    return str(function["Properties"]["Role"]["Fn::GetAtt"][0])
