"""Customers: their profiles, made of their orders by the clock, and who works with them."""

from aws_cdk import Duration
from constructs import Construct

from infra.consumers import Schedule
from infra.data import WRITE, Data
from infra.python_function import Layers, PythonFunction


class Customers(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Customers")
        people = {
            "ORDERS_TABLE": data.orders.table_name,
            "CUSTOMERS_TABLE": data.customers.table_name,
            "VAULT_KEY_ID": data.key.key_id,
            "SECRET_ID": data.secrets.arn,
        }
        archive = {
            "REPORTS_TABLE": data.reports.table_name,
            "FILES_BUCKET": data.files.bucket_name,
        }
        self.api = PythonFunction(self, "CustomersApi", "customers/api", layers, people, timeout=29)
        self.learn = PythonFunction(
            self,
            "LearnProfiles",
            "customers/learn_profiles",
            layers,
            {**people, **archive},
            timeout=240,
        )
        self.permit(data)
        self.dead_letters = [Schedule(self.learn, Duration.minutes(5)).dead_letters]

    def permit(self, data: Data) -> None:
        data.orders.permit(self.api, "BatchGetItem", "GetItem", indexes=("GSI1",))
        data.customers.permit(self.api, "BatchGetItem", "GetItem", "Query", *WRITE)
        data.orders.permit(self.learn, "GetItem")
        data.customers.permit(self.learn, "GetItem", "Query", *WRITE)
        for function in (self.api, self.learn):
            data.permit_vault(function, "kms:Decrypt")
            data.permit_vault(function, "kms:GenerateDataKey")
            data.secrets.permit(function)
        data.reports.permit(self.learn, "GetItem", "Query", "UpdateItem")
        data.files.permit(self.learn, "GetObject", folders=["events"])
