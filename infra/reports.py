"""Figures, counted from the archive of events."""

from aws_cdk import Duration
from constructs import Construct

from infra.archive import archive_of, let_read
from infra.consumers import DeadLetters, Schedule
from infra.data import Data
from infra.python_function import Layers, PythonFunction

EVERY = Duration.minutes(1)


class Reports(Construct):
    """`shared`: the queue of what failed, of the archive that it reads."""

    def __init__(self, scope: Construct, data: Data, layers: Layers, shared: DeadLetters) -> None:
        super().__init__(scope, "Reports")
        orders = {"ORDERS_TABLE": data.orders.table_name}
        reports = {"REPORTS_TABLE": data.reports.table_name}
        stock = {"STOCK_TABLE": data.stock.table_name}
        every = {**orders, **reports, **stock}
        self.api = PythonFunction(
            self, "ReportsApi", "reports/api", layers, every, timeout=29, memory=512
        )
        data.reports.permit(self.api, "PutItem", "Query", "UpdateItem")
        data.orders.permit(self.api, "GetItem")
        data.stock.permit(self.api, "BatchGetItem")
        self.project = PythonFunction(
            self,
            "ProjectEvents",
            "reports/project_events",
            layers,
            {**archive_of(data), **orders},
            timeout=120,
            memory=512,
        )
        self.mail = PythonFunction(
            self,
            "MailReports",
            "reports/mail_reports",
            layers,
            {**every, "SENDER_EMAIL": data.mails.sender},
            timeout=120,
            memory=512,
        )
        self.mail.add_layers(layers.packages("charts"))
        self.count = PythonFunction(
            self,
            "CountInventory",
            "reports/count_inventory",
            layers,
            every,
            timeout=600,
            memory=512,
        )
        self.permit(data)
        Schedule(self.count, Duration.hours(1), shared=shared)
        Schedule(self.project, EVERY, shared=shared)
        Schedule(self.mail, Duration.hours(1), shared=shared)

    def permit(self, data: Data) -> None:
        let_read(data, self.project)
        data.reports.permit(self.project, "DeleteItem", "PutItem")
        data.orders.permit(self.project, "GetItem", "Query")
        data.reports.permit(self.mail, "DeleteItem", "GetItem", "PutItem", "Query")
        data.orders.permit(self.mail, "GetItem")
        data.stock.permit(self.mail, "BatchGetItem")
        data.mails.permit(self.mail, raw=True)
        data.reports.permit(self.count, "GetItem", "PutItem", "Query", "UpdateItem")
        data.stock.permit(self.count, "BatchGetItem", "Query", "Scan")
        data.orders.permit(self.count, "GetItem")
