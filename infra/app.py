"""`python -m infra.app` synthesises; no credentials, no look-ups, only a node binary on the path.

Context: `target` aws or local, `sender` the address that customers hear from, `alarmEmail` who is
told of alarms, `trackingPages` what the address of a customer's tracking page begins with,
`unsubscribePages` that of the page where they choose what to hear of, `serviceMail` the address,
or the domain, that they write to,
`unshippedHours`, `attentionOrders`, `orderMicroDollars` from when on ops are told,
`sandboxPayments=true` to take orders of the provider `test`, `check` for cdk-nag.
"""

import json
from typing import Any

from aws_cdk import App, Tags, Validations

from infra.bundling import Target
from infra.data import Data
from infra.http_api import Api
from infra.local.install import ROOT
from infra.service import Insight, Outside, People, Service


def main() -> None:
    app = App(context=context())
    target = Target(app.node.get_context("target"))
    data = Data(app, "OmsData", app.node.get_context("sender"))
    service = Service(app, "OmsService", data, target)
    Tags.of(app).add("product", "baton")
    topic = service.alarms.topic
    outside = Outside(app, "OmsOutside", data, target, topic)
    people = People(app, "OmsPeople", data, target, topic)
    insight = Insight(app, "OmsInsight", data, target, topic, service.jobs)
    insight.add_stack_dependency(outside)  # it reads the logs of its functions
    api = Api(app, "OmsApi", data.callers, topic, [service, outside, people, insight])
    if target.is_local:
        Tags.of(api.http.api).add("ms-custom-id", "oms")
    if app.node.try_get_context("check"):
        check(app)
    app.synth()


def context() -> dict[str, Any]:
    """That of `cdk.json`, which the CDK command line would hand over."""
    settings: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return settings


def check(app: App) -> None:
    from cdk_nag import AwsSolutionsChecks

    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


if __name__ == "__main__":
    main()
