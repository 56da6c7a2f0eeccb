"""Figures of customers and the segments that they belong to, followed by the clock."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.archive import archive_of, let_read
from infra.consumers import DeadLetters, Schedule
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction

EVERY = Duration.minutes(5)


class Segments(Construct):
    """`queue`: that of long jobs; `shared`: what failed, with the archive that it reads."""

    def __init__(
        self, scope: Construct, data: Data, layers: Layers, queue: sqs.Queue, shared: DeadLetters
    ) -> None:
        super().__init__(scope, "Segments")
        customers = {"CUSTOMERS_TABLE": data.customers.table_name}
        jobs = {"JOBS_TABLE": data.jobs.table_name, "JOB_QUEUE": queue.queue_url}
        self.api = PythonFunction(
            self, "SegmentsApi", "segments/api", layers, {**customers, **jobs}, timeout=29
        )
        data.customers.permit(self.api, "GetItem", "PutItem", "Query", "UpdateItem")
        data.jobs.permit(self.api, *CHANGE)
        self.api.permit([queue.queue_arn], "sqs:SendMessage")
        self.follow = PythonFunction(
            self,
            "FollowCustomers",
            "segments/follow_customers",
            layers,
            {
                **customers,
                **archive_of(data),
                "ORDERS_TABLE": data.orders.table_name,
                "VAULT_KEY_ID": data.key.key_id,
            },
            timeout=240,
            memory=512,
        )
        self.permit(data)
        Schedule(self.follow, EVERY, shared=shared)

    def permit(self, data: Data) -> None:
        let_read(data, self.follow)
        data.reports.permit(self.follow, "DeleteItem", "PutItem")
        data.orders.permit(self.follow, "GetItem", "Query")
        data.customers.permit(self.follow, "BatchGetItem", "GetItem", "Query", *WRITE)
        data.permit_vault(self.follow, "kms:Decrypt")
