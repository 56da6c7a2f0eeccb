"""The books: checked when somebody asks, and kept by the clock."""

from aws_cdk import Duration
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.archive import let_read
from infra.consumers import Schedule
from infra.data import CHANGE, Data
from infra.ops import EXECUTIONS
from infra.python_function import Layers, PythonFunction
from infra.workflow import WAITING, execution_arns, workflow_arns

EVERY = Duration.minutes(5)


class Books(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Books")
        self.workflows = workflow_arns()
        environment = {
            "ORDERS_TABLE": data.orders.table_name,
            "STOCK_TABLE": data.stock.table_name,
            "REPORTS_TABLE": data.reports.table_name,
            "FILES_BUCKET": data.files.bucket_name,
            "EVENT_BUS": data.bus.event_bus_name,
            **self.workflows,
        }
        self.api = PythonFunction(
            self, "BooksApi", "books/api", layers, environment, timeout=29, memory=512
        )
        self.keep = PythonFunction(
            self,
            "KeepBooks",
            "books/keep_books",
            layers,
            environment,
            timeout=300,  # for an item with millions of movements; other work ends within a minute
            memory=512,
        )
        for function in (self.api, self.keep):
            self.permit(data, function)
        let_read(data, self.keep)
        self.permit_mending(data)
        schedule = Schedule(self.keep, EVERY)
        self.dead_letters = [schedule.dead_letters]

    def permit(self, data: Data, function: PythonFunction) -> None:
        """To read all books, and to keep what was found."""
        data.orders.permit(function, "BatchGetItem", "GetItem", "Query", "Scan", indexes=("GSI3",))
        data.stock.permit(function, "BatchGetItem", "GetItem", "Query", "Scan")
        data.reports.permit(function, *CHANGE, "BatchGetItem", "Query")
        function.permit(list(self.workflows.values()), "states:ListExecutions")
        executions = [execution_arns(name) for name in WAITING.values()]
        function.permit(executions, "states:DescribeExecution")

    def permit_mending(self, data: Data) -> None:
        """What a person lets be done about a difference."""
        data.orders.permit(self.api, "UpdateItem")
        data.stock.permit(self.api, "PutItem", "UpdateItem")
        self.api.permit([data.bus.event_bus_arn], "events:PutEvents")
        self.api.permit(list(self.workflows.values()), "states:StartExecution")
        executions = [execution_arns(name) for name in WAITING.values()]
        self.api.permit(executions, "states:StopExecution")
        for name in WAITING.values():
            acknowledge(
                self,
                f"IAM5[Resource::{EXECUTIONS}{name}:*]",
                "The executions of one workflow; their names are ids of orders or returns",
            )
