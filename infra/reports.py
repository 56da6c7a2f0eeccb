"""Figures, counted from events."""

from constructs import Construct

from infra.consumers import Inbox
from infra.data import Data
from infra.python_function import Layers, PythonFunction

COUNTED = [
    "OrderCancelled",
    "OrderEdited",
    "OrderLinesCancelled",
    "OrderPlaced",
    "RefundGranted",
    "ReturnSettled",
]


class Reports(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Reports")
        reports = {"REPORTS_TABLE": data.reports.table_name}
        self.api = PythonFunction(self, "ReportsApi", "reports/api", layers, reports, timeout=29)
        self.project = PythonFunction(
            self, "ProjectEvent", "reports/project_event", layers, reports, timeout=30
        )
        data.reports.permit(self.api, "Query")
        data.reports.permit(self.project, "BatchGetItem", "PutItem", "UpdateItem")
        self.dead_letters = [Inbox(self.project, data, COUNTED).dead_letters]
