"""Bring the stacks of a cloud assembly into an embedded cloud, as `cdk deploy` does into AWS."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local.cloud import Cloud, CloudError

ACCOUNT = "000000000000"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
PATIENCE = 180
Outputs = dict[str, str]


def deploy(cloud: Cloud, assembly: Path) -> Outputs:
    """Create or update each stack in order; answers the outputs of them all."""
    bootstrap(cloud)
    outputs: Outputs = {}
    for name, stack in stacks_in_order(assembly):
        upload_assets(cloud, assembly, stack)
        template = resolved(stack["properties"]["stackTemplateAssetObjectUrl"])
        outputs |= deploy_stack(cloud, name, template.replace("s3://", f"{cloud.url}/"))
    return outputs


def bootstrap(cloud: Cloud) -> None:
    """What the templates look up of `cdk bootstrap`; the buckets come with the first asset."""
    cloud.client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True
    )


def stacks_in_order(assembly: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {
        name: artifact
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    done: set[str] = set()
    while len(done) < len(stacks):
        for name, stack in stacks.items():
            needed = set(stack.get("dependencies", [])) & stacks.keys()
            if name not in done and needed <= done:
                done.add(name)
                yield name, stack


def upload_assets(cloud: Cloud, assembly: Path, stack: dict[str, Any]) -> None:
    template = Path(stack["properties"]["templateFile"])
    listing = assembly / f"{template.name.removesuffix('.template.json')}.assets.json"
    for asset in json.loads(listing.read_text())["files"].values():
        for destination in asset["destinations"].values():
            upload(cloud, assembly, asset["source"], destination)


def upload(cloud: Cloud, assembly: Path, source: dict[str, str], place: dict[str, str]) -> None:
    bucket, key = resolved(place["bucketName"]), place["objectKey"]
    store = cloud.client("s3")
    with suppress(ClientError):
        store.head_object(Bucket=bucket, Key=key)
        return
    with suppress(store.exceptions.BucketAlreadyOwnedByYou):
        store.create_bucket(Bucket=bucket)
    store.put_object(Bucket=bucket, Key=key, Body=content(assembly / source["path"]))


def resolved(text: str) -> str:
    for placeholder, value in (("AccountId", ACCOUNT), ("Region", "us-east-1")):
        text = text.replace("${AWS::" + placeholder + "}", value)
    return text


def content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else zipped(path)


def zipped(folder: Path) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as contents:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                contents.write(path, path.relative_to(folder))
    return archive.getvalue()


def deploy_stack(cloud: Cloud, name: str, template: str) -> Outputs:
    formation = cloud.client("cloudformation")
    request = {"StackName": name, "TemplateURL": template, "Capabilities": CAPABILITIES}
    before = describe(cloud, name)
    if before and before["StackStatus"] in {"ROLLBACK_COMPLETE", "CREATE_FAILED"}:
        formation.delete_stack(StackName=name)
        before = settled(cloud, name)
    try:
        (formation.update_stack if before else formation.create_stack)(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise CloudError(f"stack {name} was refused: {error}") from error
    return outputs_of(cloud, name, settled(cloud, name))


def describe(cloud: Cloud, name: str) -> dict[str, Any] | None:
    try:
        found = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError:
        return None
    return None if found["StackStatus"] == "DELETE_COMPLETE" else dict(found)


def settled(cloud: Cloud, name: str) -> dict[str, Any] | None:
    deadline = time.monotonic() + PATIENCE
    while (stack := describe(cloud, name)) and stack["StackStatus"].endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise CloudError(f"stack {name} is still {stack['StackStatus']} after {PATIENCE} s")
        time.sleep(0.1)
    return stack


def outputs_of(cloud: Cloud, name: str, stack: dict[str, Any] | None) -> Outputs:
    if stack is None or stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise CloudError("\n".join([f"stack {name} failed:", *failures(cloud, name)]))
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def failures(cloud: Cloud, name: str) -> list[str]:
    pages = cloud.client("cloudformation").get_paginator("describe_stack_events")
    events = [event for page in pages.paginate(StackName=name) for event in page["StackEvents"]]
    return [
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): "
        f"{event.get('ResourceStatusReason', '')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    ]
