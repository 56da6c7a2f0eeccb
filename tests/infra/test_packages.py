"""Each asset, unpacked and loaded as Lambda will."""

import _imp
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from infra.bundling import AWS_SERVICES, Target
from infra.local.install import ROOT
from tests.infra.conftest import Assembly

MAGIC_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"
KEY_OF_3_13 = int.from_bytes(MAGIC_OF_3_13, "little")
UNCHECKED_HASH = 1
AARCH64, X86_64 = 183, 62


def assets(assembly: Assembly) -> Iterator[Path]:
    yield from assembly.layers.values()
    for function in assembly.functions.values():
        yield assembly.unpacked(function["Properties"]["Code"])


def bytecode_of(source: Path, tag: str) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"


def vendor(assembly: Assembly) -> Path:
    return next(path for name, path in assembly.layers.items() if "Vendor" in name)


def test_every_module_for_aws_comes_with_bytecode_of_its_python(aws: Assembly) -> None:
    for asset in assets(aws):
        for source in asset.rglob("*.py"):
            header = bytecode_of(source, "cpython-313").read_bytes()[:16]
            assert header[:4] == MAGIC_OF_3_13
            assert int.from_bytes(header[4:8], "little") == UNCHECKED_HASH


def test_every_module_for_this_machine_comes_with_bytecode_of_its_python(
    local: Assembly,
) -> None:
    tag = f"cpython-{Target('local').python.replace('.', '')}"
    for asset in assets(local):
        for source in asset.rglob("*.py"):
            assert bytecode_of(source, tag).exists()


def test_the_bytecode_is_of_the_sources_beside_it(aws: Assembly) -> None:
    for source in next(path for name, path in aws.layers.items() if "Oms" in name).rglob("*.py"):
        kept = bytecode_of(source, "cpython-313").read_bytes()[8:16]
        assert kept == _imp.source_hash(KEY_OF_3_13, source.read_bytes())


def test_native_code_for_aws_is_built_for_arm_and_its_python(aws: Assembly) -> None:
    libraries = sorted(vendor(aws).rglob("*.so"))

    assert {machine_of(library) for library in libraries} == {AARCH64}
    assert all("cpython-313-aarch64" in it.name or ".abi3." in it.name for it in libraries)
    assert {"msgspec", "pydantic_core"} <= {it.parent.name for it in libraries}


def machine_of(library: Path) -> int:
    return int.from_bytes(library.read_bytes()[18:20], "little")


def test_the_vendor_layer_describes_only_the_services_that_we_call(aws: Assembly) -> None:
    described = {path.name for path in (vendor(aws) / "python/botocore/data").iterdir()}

    assert {"dynamodb", "stepfunctions", "endpoints.json"} <= described
    assert "ec2" not in described


def test_every_service_that_a_function_calls_is_described() -> None:
    sources = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/oms").rglob("*.py")]
    called = {
        name
        for source in sources
        for name in re.findall(r"""\bclient\(\s*["']([a-z0-9]+)["']""", source.read_text())
    }

    assert {"dynamodb", "sns"} <= called <= AWS_SERVICES


BY_THE_CLOCK = {
    "MailReports",
    "WriteLake",
}  # once an hour; they load what draws, what writes Parquet


def test_a_function_and_its_layers_fit_into_lambda_more_than_twice(aws: Assembly) -> None:
    for name in aws.functions:
        most = 230_000_000 if name in BY_THE_CLOCK else 250_000_000 / 2.5
        assert sum(size_of(layer) for layer in aws.layers_of(name)) < most, name


def test_packages_that_few_functions_need_are_loaded_by_few_functions(aws: Assembly) -> None:
    for layer in set(map(short, aws.layers)) - {"Oms", "Vendor"}:
        loading = [name for name in aws.functions if aws.has_packages(name, layer)]
        assert 0 < len(loading) < len(aws.functions) / 2, layer


def short(layer: str) -> str:
    return layer.removeprefix("Layers")[:-8]


def test_no_package_is_in_two_layers_that_a_function_loads(aws: Assembly) -> None:
    for name in aws.functions:
        found = [it.name for layer in aws.layers_of(name) for it in (layer / "python").iterdir()]
        twice = {it for it in found if found.count(it) > 1} - {"__pycache__"}
        assert not twice, name


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_function_contains_its_own_capability_and_no_other(aws: Assembly) -> None:
    for function in aws.functions.values():
        properties = function["Properties"]
        folders = (aws.unpacked(properties["Code"]) / "functions").iterdir()
        names = {path.name for path in folders if path.is_dir()} - {"__pycache__"}
        assert names == {properties["Handler"].split(".")[1]}


@pytest.mark.slow
def test_every_handler_can_be_imported_with_only_its_layers(local: Assembly) -> None:
    for name, function in local.functions.items():
        layers = [f"{layer}/python" for layer in local.layers_of(name)]
        properties = function["Properties"]
        module = properties["Handler"].rpartition(".")[0]
        import_alone(module, [str(local.unpacked(properties["Code"])), *layers])


@pytest.mark.slow
def test_stripe_is_asked_with_only_the_layers_of_a_function_that_asks_it(local: Assembly) -> None:
    layers = [f"{layer}/python" for layer in local.layers_of("AuthorizePayment")]
    ask = """
        from oms.adapters.payments.base import AmbiguousOutcome
        from oms.adapters.payments.stripe import Stripe
        from oms.adapters.payments.stripe_client import client
        try:
            Stripe(lambda: client("sk_test", "http://127.0.0.1:9")).authorize("k", 5, "USD", "pm_1")
        except AmbiguousOutcome:  # nobody is there
            raise SystemExit(0)
        raise SystemExit(1)
    """
    run_alone(dedent(ask), layers)


@pytest.mark.slow
def test_easypost_is_asked_with_only_the_layers_of_the_functions_that_have_labels(
    local: Assembly,
) -> None:
    asking = [name for name in local.functions if local.has_packages(name, "Carriers")]
    layers = [f"{layer}/python" for layer in local.layers_of("LabelsApi")]
    ask = """
        from oms.adapters.carriers.easypost_labels import _asked, client
        from oms.adapters.carriers.labels import Unanswered
        try:
            _asked(lambda it: it.shipment.retrieve("k"), lambda: client("EZTK", "http://127.0.0.1:9"))
        except Unanswered:  # nobody is there
            raise SystemExit(0)
        raise SystemExit(1)
    """
    assert set(asking) == {"IssueReturnLabel", "LabelsApi", "VoidLabels"}
    run_alone(dedent(ask), layers)


@pytest.mark.slow
def test_public_holidays_are_known_with_only_the_layers(local: Assembly) -> None:
    layers = [f"{layer}/python" for layer in local.layers.values()]
    ask = "from oms.adapters.public_holidays import public_days; assert public_days('DE-BY', 2026)"
    run_alone(ask, layers)


def import_alone(module: str, path: list[str]) -> None:
    run_alone(f"import {module}; assert {module}.handler", path)


def run_alone(code: str, path: list[str]) -> None:
    code = f"import sys; sys.path[:0] = {path!r}\n{code}"
    command = [str(Target("local").interpreter), "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=False)
    assert done.returncode == 0, done.stderr
