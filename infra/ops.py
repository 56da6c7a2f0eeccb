"""What needs a person, whether the books balance, and the repair of stopped workflows."""

from aws_cdk import Duration
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.consumers import Schedule
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction

EXECUTIONS = (
    "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:OmsService-Order:*"
)


class Ops(Construct):
    def __init__(
        self,
        scope: Construct,
        data: Data,
        layers: Layers,
        order_workflow: str,
        order_executions: str,
    ) -> None:
        super().__init__(scope, "Ops")
        orders = {"ORDERS_TABLE": data.orders.table_name, "ORDER_WORKFLOW": order_workflow}
        stock = {"STOCK_TABLE": data.stock.table_name}
        self.api = PythonFunction(
            self, "OpsApi", "ops/api", layers, {**orders, **stock}, timeout=29, memory=512
        )
        self.reconcile = PythonFunction(
            self, "ReconcileOrders", "ops/reconcile_orders", layers, {**orders, **stock}, timeout=60
        )
        data.orders.permit(self.api, *CHANGE, "BatchGetItem", "Query", "Scan", indexes=("GSI3",))
        data.stock.permit(self.api, *WRITE, "BatchGetItem", "Query", "Scan")
        data.orders.permit(self.reconcile, *CHANGE, "BatchGetItem", "Query", indexes=("GSI3",))
        data.stock.permit(self.reconcile, "BatchGetItem", "GetItem", "Query", *WRITE)
        for function in (self.api, self.reconcile):
            function.permit([order_workflow], "states:StartExecution")
            function.permit([order_executions], "states:DescribeExecution")
        self.reconcile.permit([order_workflow], "states:ListExecutions")
        self.reconcile.permit_resuming()
        acknowledge(
            self,
            f"IAM5[Resource::{EXECUTIONS}]",
            "The executions of the one order workflow; their names are order ids",
        )
        every = Duration.minutes(1 if layers.target.is_local else 5)
        self.dead_letters = [Schedule(self.reconcile, every).dead_letters]
