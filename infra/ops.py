"""What needs a person, and the repair of stopped workflows."""

from aws_cdk import Duration
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.consumers import Schedule
from infra.data import CHANGE, WRITE, Data
from infra.payment_providers import let_ask_providers
from infra.python_function import Layers, PythonFunction
from infra.workflow import WAITING, execution_arns, workflow_arns

EXECUTIONS = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:OmsService-"


class Ops(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Ops")
        workflows = workflow_arns()
        orders = {"ORDERS_TABLE": data.orders.table_name, **workflows}
        stock = {"STOCK_TABLE": data.stock.table_name}
        self.api = PythonFunction(
            self,
            "OpsApi",
            "ops/api",
            layers,
            {**orders, **stock, "CHANNELS_TABLE": data.channels.table_name},
            timeout=29,
            memory=512,
        )
        self.reconcile = PythonFunction(
            self,
            "ReconcileOrders",
            "ops/reconcile_orders",
            layers,
            {**orders, **stock, "CUSTOMERS_TABLE": data.customers.table_name},
            timeout=60,
        )
        data.customers.permit(self.reconcile, "GetItem")
        data.orders.permit(self.api, *CHANGE, "BatchGetItem", "Query", indexes=("GSI3",))
        data.stock.permit(self.api, *WRITE, "BatchGetItem", "Query")
        data.channels.permit(self.api, "BatchGetItem", indexes=("GSI1",))
        data.orders.permit(self.reconcile, *CHANGE, "BatchGetItem", "Query", indexes=("GSI3",))
        data.stock.permit(self.reconcile, "BatchGetItem", "GetItem", "Query", *WRITE)
        for function in (self.api, self.reconcile):
            let_ask_providers(function, data, layers)
        self.permit_workflows(list(workflows.values()))
        every = Duration.minutes(1 if layers.target.is_local else 5)
        self.dead_letters = [Schedule(self.reconcile, every).dead_letters]

    def permit_workflows(self, workflows: list[str]) -> None:
        """To see how the executions stand, and to start and resume them."""
        executions = [execution_arns(name) for name in WAITING.values()]
        for function in (self.api, self.reconcile):
            function.permit(workflows, "states:StartExecution")
            function.permit(executions, "states:DescribeExecution")
        self.reconcile.permit(workflows, "states:ListExecutions")
        self.reconcile.permit_resuming()
        for name in WAITING.values():
            acknowledge(
                self,
                f"IAM5[Resource::{EXECUTIONS}{name}:*]",
                "The executions of one workflow; their names are ids of orders or returns",
            )
