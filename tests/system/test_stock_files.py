"""Stock levels in files: loaded as counts, refused row by row, exported and loaded again."""

from pathlib import Path

import pytest

from infra.local import stock_files
from infra.local.client import Refusal
from infra.local.cloud import CloudError
from tests.system.shop import Shop

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]


def test_levels_are_loaded_refused_exported_and_loaded_again(shop: Shop, tmp_path: Path) -> None:
    sku = shop.stocked(10)
    levels = tmp_path / "levels.csv"
    levels.write_text(
        "sku,location,on_hand,reason\n"
        f"{sku},NEAR,7,broken\n{sku},FAR,3,\n{sku}-B,FAR,2,\n{sku},NOWHERE,1,\n"
    )

    job = stock_files.load(shop.api, levels, tmp_path)

    assert job["progress"] == {"done": 4, "total": 4, "refused": 1}
    assert shop.units(sku) == (10, 10, 0)
    (refused,) = (tmp_path / f"{job['job_id']}.refused.csv").read_text().splitlines()[1:]
    assert refused == f"{sku},NOWHERE,1,,5,location,is not known"

    exported = tmp_path / "exported.csv"
    stock_files.export(shop.api, exported)
    again = stock_files.load(shop.api, exported, tmp_path)

    assert {f"{sku},NEAR,7,7,0,0", f"{sku}-B,FAR,2,2,0,0"} <= set(exported.read_text().split())
    assert again["progress"]["refused"] == 0


def test_a_file_that_lists_no_levels_fails_with_its_reason(shop: Shop, tmp_path: Path) -> None:
    levels = tmp_path / "levels.csv"
    levels.write_text("name;place\n")

    with pytest.raises(CloudError, match="names no column sku"):
        stock_files.load(shop.api, levels, tmp_path)


def test_what_was_never_uploaded_is_not_started(shop: Shop) -> None:
    job = shop.api.post("/stock/imports", {"size": 10})["job"]

    with pytest.raises(Refusal, match="409"):
        shop.api.post(f"/stock/imports/{job['job_id']}/start")

    cancelled = shop.api.post(f"/jobs/{job['job_id']}/cancel")
    assert cancelled["status"] == "cancelled"
    assert cancelled["job_id"] in {each["job_id"] for each in shop.api.pages("/jobs")}
