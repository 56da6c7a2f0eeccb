from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any
from uuid import uuid4

import pytest

from infra.local.cloud import Cloud
from oms.adapters import aws
from oms.adapters.files import PART, FileChanged, Files

pytestmark = pytest.mark.cloud


@pytest.fixture
def files(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Files:
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    bucket = f"files-{uuid4().hex[:12]}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    return Files(aws.client("s3", signature="s3v4"), bucket)


def put(url: str, content: bytes, content_type: str = "text/csv") -> Any:
    request = urllib.request.Request(url, content, {"Content-Type": content_type}, method="PUT")
    return urllib.request.urlopen(request, timeout=10)


def test_a_file_is_uploaded_and_fetched_by_links(files: Files) -> None:
    with put(files.upload_link("imports/a.csv", 5, "text/csv"), b"abcde"):
        pass

    found = files.find("imports/a.csv")
    with urllib.request.urlopen(files.download_link("imports/a.csv"), timeout=10) as answer:
        assert answer.read() == b"abcde"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="a.csv"'
    assert found
    assert found.size == 5


@pytest.mark.parametrize(("content", "kind"), [(b"abcdef", "text/csv"), (b"abcde", "text/html")])
def test_another_size_or_type_than_was_announced_is_not_taken(
    files: Files, content: bytes, kind: str
) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        put(files.upload_link("imports/a.csv", 5, "text/csv"), content, kind)

    assert files.find("imports/a.csv") is None


def test_a_part_is_read_of_exactly_the_content_that_was_found(files: Files) -> None:
    files.write("a", [b"0123", b"456789"])
    found = files.find("a")
    assert found

    assert b"".join(files.read("a", 3, 7, found.etag)) == b"3456"
    assert b"".join(files.read("a", 3, 3, found.etag)) == b""
    assert b"".join(files.read("a")) == b"0123456789"
    files.write("a", [b"other"])
    with pytest.raises(FileChanged):
        list(files.read("a", 0, 3, found.etag))


@pytest.mark.parametrize("size", [0, 1, PART, 2 * PART + 3])
def test_a_file_of_any_size_is_written_whole(files: Files, size: int) -> None:
    files.write("big", (bytes(some) for some in pieces(size)))

    found = files.find("big")
    assert found
    assert found.size == size


def test_a_file_that_fails_on_its_way_is_not_there(files: Files) -> None:
    def broken() -> Any:
        yield bytes(2 * PART)
        yield bytes(2 * PART)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        files.write("big", broken())

    assert files.find("big") is None


def pieces(size: int) -> list[int]:
    return [min(1_000_003, size - place) for place in range(0, size, 1_000_003)]
