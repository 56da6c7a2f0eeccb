"""What is known of persons: shown, exported, erased; and the function by the clock that destroys
keys of erased persons, and whatever was kept long enough."""

from aws_cdk import Duration
from constructs import Construct

from infra.archive import let_read
from infra.consumers import Schedule
from infra.data import WRITE, Data
from infra.python_function import Layers, PythonFunction
from oms.adapters.channel_inbox import PURPOSE as INBOX
from oms.adapters.drafts_table import PURPOSE as DRAFTS

FOLDERS = ["documents", "exports", "imports", "jobs", "labels", "mail", "retained"]
EVERY = Duration.hours(1)


class Privacy(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Privacy")
        self.data, self.layers = data, layers
        self.api = self.function("PrivacyApi", "privacy/api", timeout=29)
        self.tend = self.function("TendPrivacy", "privacy/tend_privacy", timeout=60)
        let_read(data, self.tend)
        self.dead_letters = [Schedule(self.tend, EVERY).dead_letters]

    def function(self, name: str, path: str, timeout: int) -> PythonFunction:
        data = self.data
        environment = {
            "ORDERS_TABLE": data.orders.table_name,
            "CUSTOMERS_TABLE": data.customers.table_name,
            "CHANNELS_TABLE": data.channels.table_name,
            "REPORTS_TABLE": data.reports.table_name,
            "JOBS_TABLE": data.jobs.table_name,
            "VAULT_KEY_ID": data.key.key_id,
            "FILES_BUCKET": data.files.bucket_name,
            "SECRET_ID": data.secrets.arn,
        }
        function = PythonFunction(
            self, name, path, self.layers, environment, timeout=timeout, memory=512
        )
        function.add_layers(self.layers.packages("documents"))
        self.permit(function)
        return function

    def permit(self, function: PythonFunction) -> None:
        data = self.data
        reading = ("BatchGetItem", "GetItem", "Query")
        data.orders.permit(function, *reading, "DeleteItem", indexes=("GSI1",))
        data.customers.permit(function, *reading, *WRITE)
        data.channels.permit(function, "BatchGetItem", "GetItem", "PutItem", indexes=("GSI1",))
        data.keys.permit(function, "DeleteItem", "GetItem", "PutItem", "Query")
        data.reports.permit(function, "Query")
        data.jobs.permit(function, "GetItem")
        data.secrets.permit(function)
        for purpose in (DRAFTS, INBOX):
            data.permit_vault(function, "kms:Decrypt", purpose)
        data.permit_vault(function, "kms:Decrypt")
        data.permit_vault(function, "kms:GenerateDataKey")
        files = ("DeleteObject", "GetObject", "PutObject")
        data.files.permit(function, *files, folders=FOLDERS)
