"""Files that are too large for a request: uploaded and fetched by links that expire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import aws
from oms.domain.errors import Conflict
from oms.settings import setting

LINK_SECONDS = 900
PART = 8 * 1024 * 1024  # of an upload in parts, whose least is 5 MiB
CHUNK = 256 * 1024
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
CHANGED = frozenset({"412", "PreconditionFailed"})


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`etag` names the content: whoever uploads again changes it."""

    size: int
    etag: str


class FileChanged(Conflict):
    def __init__(self) -> None:
        super().__init__("the file was uploaded again while it was read")


class Files:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def upload_link(self, name: str, size: int, content_type: str) -> str:
        """Size and type are signed with it: no other upload is taken."""
        said = {"ContentLength": size, "ContentType": content_type}
        return self._link("put_object", name, **said)

    def download_link(self, name: str) -> str:
        shown = f'attachment; filename="{name.rpartition("/")[2]}"'
        return self._link("get_object", name, ResponseContentDisposition=shown)

    def find(self, name: str) -> StoredFile | None:
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            if _code(error) in MISSING:
                return None
            raise
        return StoredFile(int(found["ContentLength"]), str(found["ETag"]))

    def named(self, prefix: str) -> Iterator[tuple[str, StoredFile]]:
        """Those whose names begin so, by their names."""
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            for each in page.get("Contents", ()):
                yield str(each["Key"]), StoredFile(int(each["Size"]), str(each["ETag"]))

    def read(
        self, name: str, first: int = 0, end: int | None = None, etag: str = ""
    ) -> Iterator[bytes]:
        """The bytes from `first` up to `end`, in pieces, of exactly this content."""
        if end is not None and first >= end:
            return
        asked = {"Range": f"bytes={first}-{'' if end is None else end - 1}"}
        asked |= {"IfMatch": etag} if etag else {}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=name, **asked)
        except ClientError as error:
            if _code(error) in CHANGED:
                raise FileChanged from None
            raise
        with closing(answer["Body"]) as body:
            yield from body.iter_chunks(CHUNK)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """However much it is, in bounded memory; nobody sees half of it."""
        parts = _joined(pieces)
        first, second = next(parts, b""), next(parts, None)
        if second is None:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=first)
        else:
            self._write_parts(name, _chained(first, second, parts))

    def remove(self, name: str) -> None:
        """Also where there is none."""
        self._client.delete_object(Bucket=self._bucket, Key=name)

    def _write_parts(self, name: str, parts: Iterator[bytes]) -> None:
        place = {"Bucket": self._bucket, "Key": name}
        upload = {**place, "UploadId": self._client.create_multipart_upload(**place)["UploadId"]}
        try:
            done = [
                {"PartNumber": number, "ETag": self._part(upload, number, part)}
                for number, part in enumerate(parts, 1)
            ]
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})
        except BaseException:
            with suppress(ClientError):
                self._client.abort_multipart_upload(**upload)
            raise

    def _part(self, upload: dict[str, Any], number: int, part: bytes) -> str:
        answer = self._client.upload_part(**upload, PartNumber=number, Body=part)
        return str(answer["ETag"])

    def _link(self, operation: str, name: str, **said: Any) -> str:
        return str(
            self._client.generate_presigned_url(
                operation,
                Params={"Bucket": self._bucket, "Key": name, **said},
                ExpiresIn=LINK_SECONDS,
            )
        )


@cache
def files() -> Files:
    return Files(aws.client("s3", signature="s3v4"), setting("FILES_BUCKET"))


def download_link(name: str) -> str:
    """S3 is first asked for when there is a link to make."""
    return files().download_link(name)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of at least PART, but for the last."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= PART:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _chained(first: bytes, second: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from others


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
