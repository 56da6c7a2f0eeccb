"""Statements of others. What compares them is the worker of long jobs."""

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction


class Reconciliation(Construct):
    """`queue`: that of long jobs."""

    def __init__(self, scope: Construct, data: Data, layers: Layers, queue: sqs.Queue) -> None:
        super().__init__(scope, "Reconciliation")
        environment = {
            "JOBS_TABLE": data.jobs.table_name,
            "FILES_BUCKET": data.files.bucket_name,
            "REPORTS_TABLE": data.reports.table_name,
            "JOB_QUEUE": queue.queue_url,
        }
        self.api = PythonFunction(
            self, "ReconciliationApi", "reconciliation/api", layers, environment, timeout=29
        )
        data.jobs.permit(self.api, *CHANGE, "Query")
        data.reports.permit(self.api, "BatchGetItem", "GetItem", "Query")
        data.files.permit(self.api, "GetObject", "PutObject", folders=["imports", "jobs"])
        self.api.permit([queue.queue_arn], "sqs:SendMessage")
