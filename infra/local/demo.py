"""Three orders from a storefront's POST to delivered, before your eyes: `make up`'s second half.

Orders that an earlier run left unfinished are finished first. What an order cost is what the
emulator's meter says of the time from its placing until nothing moves any more.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console

from infra.local import summary
from infra.local.bill import Counts, Meter, plus
from infra.local.board import Board
from infra.local.client import Client, Json, segment
from infra.local.cloud import CloudError, current
from infra.local.samples import CHANNEL, SAMPLES, Sample, run_of
from infra.local.seed import Receipt, Seeded, receive, seed
from infra.local.telling import News, news, standing
from infra.local.walk import LAST_STAGE, is_settled, stage, walk_on

PAUSE = 0.05
PATIENCE = 180.0  # the reconciler looks every minute, at orders older than a minute and a half
MAILS = "lambda.calls.OmsPeople-NotifyCustomer"
STILL, MAILS_PATIENCE = 1.0, 8.0  # no mail for so long: all are written
ENOUGH = 20  # units of a SKU; below, more are received
LOOKS = 5


@dataclass
class Walk:
    """An order on its way: how often we looked, and what it cost so far."""

    tag: str
    order: Json
    looks: int = 0
    counts: Counts | None = None
    stands_still: bool = False


def main() -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        sys.exit(run(console))
    except CloudError as error:
        sys.exit(f"baton: {error}")
    except KeyboardInterrupt:
        sys.exit("\nbaton: interrupted; `make up` goes on from here")


def run(console: Console) -> int:
    """The exit code: 1 when an order did not come to its end."""
    cloud = current()
    if cloud is None:
        raise CloudError("no embedded cloud is running: start it with `make up`")
    began = time.monotonic()
    api = Client.of(cloud)
    console.print(f"  {seeded(seed(api))} {time.monotonic() - began:.1f} s\n")
    walks = show(api, Meter(cloud), console)
    console.print(summary.of(walks, api.get("/books")))
    return int(any(walk.stands_still for walk in walks))


def seeded(there: Seeded) -> str:
    return f"seed: {there.locations} locations, {there.skus} SKUs, {there.units} units …"


def show(api: Client, meter: Meter, console: Console) -> list[Walk]:
    earlier = list(orders_of_earlier_runs(api))
    number = 1 + max((run_of(each["external_id"]) for each in earlier), default=0)
    left = [each for each in earlier if not is_settled(each)]
    tags = [*(each["external_id"] for each in left), *(s.external_id(number) for s in SAMPLES)]
    with Board(tags, LAST_STAGE, console) as board:
        finished = [finish(api, board, order) for order in left]
        keep_enough(api, number)
        placed = place_and_walk(api, board, meter, number)
    return [*finished, *placed]


def orders_of_earlier_runs(api: Client) -> Iterator[Json]:
    """They are kept nowhere but in the API: by the customers of the demo."""
    for email in sorted({sample.customer["email"] for sample in SAMPLES}):
        for order in api.pages("/orders", customer=email, channel=CHANNEL):
            if run_of(order["external_id"]):
                yield order


def keep_enough(api: Client, number: int) -> None:
    """However often the demo runs, it has something to sell."""
    skus = sorted({line["sku"] for sample in SAMPLES for line in sample.lines})
    for item in api.get("/availability", sku=skus)["items"]:
        if item["available"] < ENOUGH:
            for level in api.get(f"/stock/{segment(item['sku'])}")["levels"]:
                place = level["location_id"]
                key = f"{CHANNEL}-{number}-{item['sku']}-{place}"
                receive(api, Receipt(item["sku"], place, 100, key))


def finish(api: Client, board: Board, order: Json) -> Walk:
    """Its workflow may have ended with the cloud: as ops would, ask for it to go on."""
    walk = Walk(order["external_id"], order)
    board.print(f"  {walk.tag}: {standing(order)} since an earlier run; it goes on")
    walk.order = api.post(f"/attention/{order['order_id']}/retry")
    return walked(api, board, walk, known=order)


def place_and_walk(api: Client, board: Board, meter: Meter, number: int) -> list[Walk]:
    meter.since()
    walks = [place(api, board, meter, sample, number) for sample in SAMPLES]
    board.wait("mails follow; reports, within two minutes")
    share(walks, after_mails(meter), cost_of_looking(api, meter, walks[0].order))
    return walks


def place(api: Client, board: Board, meter: Meter, sample: Sample, number: int) -> Walk:
    tag = sample.external_id(number)
    board.print(f"  {tag}: {sample.about}")
    walk = Walk(tag, {})
    walk.order = api.post("/orders", sample.body(number), key=f"{CHANNEL}-{tag}")
    walked(api, board, walk, known=None)
    walk.counts = meter.since()
    return walk


def walked(api: Client, board: Board, walk: Walk, known: Json | None) -> Walk:
    """Look, tell what is new, do what can be done; until it is over, or stands still."""
    began = moved = time.monotonic()
    while True:
        now = time.monotonic()
        if tell(board, walk, news(known, walk.order), now - began):
            moved = now
        walk.stands_still = now - moved > PATIENCE
        if is_settled(walk.order) or walk.stands_still:
            return walk
        if not walk_on(api, walk.order):
            time.sleep(PAUSE)
        known, walk.order = walk.order, api.get(f"/orders/{walk.order['order_id']}")
        walk.looks += 1


def tell(board: Board, walk: Walk, told: Iterable[News], seconds: float) -> bool:
    """Whether there was anything to tell."""
    lines = list(told)
    for each in lines:
        board.tell(walk.tag, seconds, each)
    board.move(walk.tag, stage(walk.order), standing(walk.order))
    return bool(lines)


def after_mails(meter: Meter) -> Counts:
    """What was done for all three together, once their mails are written."""
    began = since = time.monotonic()
    known = meter.last.get(MAILS, 0)
    while time.monotonic() < min(since + STILL, began + MAILS_PATIENCE):
        if (now := meter.now().get(MAILS, 0)) != known:
            known, since = now, time.monotonic()
        time.sleep(PAUSE)
    return meter.since()


def cost_of_looking(api: Client, meter: Meter, order: Json) -> Counts:
    """What one look at an order costs: ours are no part of what the order cost."""
    for _ in range(LOOKS):
        api.get(f"/orders/{order['order_id']}")
    return {name: amount / LOOKS for name, amount in meter.since().items()}


def share(walks: Sequence[Walk], together: Counts, look: Counts) -> None:
    for walk in walks:
        own = plus(walk.counts or {}, look, -walk.looks)
        walk.counts = plus(own, together, 1 / len(walks))


if __name__ == "__main__":
    main()
