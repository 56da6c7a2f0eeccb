"""`python -m infra.local.bench`: what `make bench` calls."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from infra.local import access, bench_routing
from infra.local.bench import capacity, cold, hot_sku, measuring, rows, table
from infra.local.bench.assembly import Assembly, Bytecode, bytecode
from infra.local.bench.flash_sale import Sale
from infra.local.bench.flash_sale import Shop as Rush
from infra.local.bench.rows import Row
from infra.local.bench.sellers import OnlyLevels
from infra.local.bench.walking import Shop
from infra.local.client import Client
from infra.local.cloud import Cloud, CloudError, free_port
from infra.local.deploy import deploy
from infra.local.install import LOCAL
from infra.local.synth import ASSEMBLY, synthesize
from oms.adapters.leases import Leases

AWS_ASSEMBLY = LOCAL / "cdk.aws"
RESULTS = LOCAL / "bench.json"
ORDERS, WARM_UP, PLACED = 100, 5, 30
RUSH_UNITS, SEED = 400, 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help="walked and counted")
    parser.add_argument("--verbose", action="store_true", help="what the figures are made of")
    asked = parser.parse_args()
    try:
        bench(Console(highlight=False, soft_wrap=True), asked.orders, asked.verbose)
    except CloudError as error:
        sys.exit(f"baton: {error}")


def bench(console: Console, orders: int, verbose: bool) -> None:
    synthesize()
    assembly = Assembly(ASSEMBLY)
    found = bytecode_of_all()
    with step(console, "cold starts"):
        starts = cold.starts(assembly.functions)
    with shop_of_its_own(console) as shop:
        with step(console, "warming up, and placing while nobody reads the outbox"):
            measuring.walk_all(shop, WARM_UP, lambda _: None)
            placing = measuring.sync_cpu(shop, PLACED)
        with step(console, f"{orders} orders from placed to delivered") as tell:
            run = measuring.measure(shop, assembly, orders, tell)
    with step(console, "one hot SKU against fifty"), bare_cloud() as cloud:
        hot = hot_sku.compare(cloud)
    with step(console, "a flash sale in virtual time"):
        rushes = {"leases": rush(Leases), "levels": rush(OnlyLevels)}
    with step(console, "routing, and windows of scarce stock"):
        routed = bench_routing.in_short()
    ceilings = capacity.ceilings(run, assembly)
    result = [
        *rows.of_run(run),
        *rows.of_assembly(at_home(), found),
        rows.of_cpu(placing, run),
        rows.of_starts(assembly, starts),
        rows.of_hot_sku(hot),
        rows.of_ceilings(ceilings),
    ]
    keep(sorted(result))
    table.show(console, sorted(result))
    table.compared(console, hot)
    table.rushed(console, rushes)
    console.print(f"\n  Rows 12 to 14: routing.{routed}")
    if verbose:
        table.detail(console, run, at_home(), starts, ceilings, found)


def rush(leases: type[Leases]) -> Sale:
    return Rush(RUSH_UNITS, SEED, leases).run()


def at_home() -> Assembly:
    """That for AWS, where it was synthesised: what stands idle there is what is paid for."""
    return Assembly(AWS_ASSEMBLY if (AWS_ASSEMBLY / "manifest.json").exists() else ASSEMBLY)


def bytecode_of_all() -> dict[str, Bytecode]:
    return bytecode(Assembly(ASSEMBLY)) | bytecode(at_home())


@contextmanager
def shop_of_its_own(console: Console) -> Iterator[Shop]:
    """On a cloud of its own, which is gone when the figures are known.

    It checks no signatures: the meter adds to each request that it be told what was consumed.
    """
    with bare_cloud() as cloud:
        with step(console, "a cloud of its own"):
            found = deploy(cloud, ASSEMBLY)
            access.sender_secrets(cloud, found)
            shop = Shop(cloud, found, Client.of(cloud))
            shop.open()
        yield shop


@contextmanager
def bare_cloud() -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as home:
        cloud = Cloud(Path(home), free_port(), persist=False, auth=False)
        cloud.start()
        try:
            yield cloud
        finally:
            cloud.kill()


@contextmanager
def step(console: Console, title: str) -> Iterator[measuring.Step]:
    with console.status(title) as status:
        yield lambda number: status.update(f"{title}: {number}")
    console.print(f"  {title}: done")


def keep(result: list[Row]) -> None:
    RESULTS.write_text(json.dumps({str(row.number): row.as_json() for row in result}, indent=1))


if __name__ == "__main__":
    main()
