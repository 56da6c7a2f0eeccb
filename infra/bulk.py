"""Long jobs: asked for by the API, worked on slice by slice from a queue."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.capture import permit_placing
from infra.consumers import DeadLetters, Schedule, drain
from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction

TOGETHER = 8  # slices that are worked on at once: what orders and warehouses do goes on beside it
TOGETHER_HERE = 3  # one process serves all tables of the embedded cloud
TRIES = 5
LOOK_EVERY = Duration.minutes(5)


class Bulk(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Bulk")
        jobs = {
            "JOBS_TABLE": data.jobs.table_name,
            "FILES_BUCKET": data.files.bucket_name,
        }
        self.api = PythonFunction(self, "BulkApi", "bulk/api", layers, jobs, timeout=29)
        data.jobs.permit(self.api, *CHANGE, "BatchGetItem", "Query", indexes=("GSI1",))
        data.files.permit(self.api, "GetObject", "PutObject", folders=["imports", "jobs"])
        self.work = self.worker(data, layers, jobs)
        self.dead_letters = [DeadLetters(self.work)]
        self.queue = self.queue_of_slices(self.dead_letters[0])
        for function in (self.api, self.work):
            self.let_send(function)
        self.drain()
        self.add_drops(data, layers, jobs)

    def worker(self, data: Data, layers: Layers, jobs: dict[str, str]) -> PythonFunction:
        """It loads and exports stock, simulates routing, places orders, compares statements, looks
        who belongs to segments."""
        environment = {
            **jobs,
            "ORDERS_TABLE": data.orders.table_name,
            "STOCK_TABLE": data.stock.table_name,
            "REPORTS_TABLE": data.reports.table_name,
            "CUSTOMERS_TABLE": data.customers.table_name,
            "VAULT_KEY_ID": data.key.key_id,
            "SECRET_ID": data.secrets.arn,
        }
        path = "bulk/work_job"
        work = PythonFunction(self, "WorkJob", path, layers, environment, timeout=120, memory=512)
        permit_placing(work, data)
        data.jobs.permit(work, *CHANGE, "Query")
        data.customers.permit(work, *CHANGE, "BatchGetItem", "Query", "Scan")
        data.permit_vault(work, "kms:Decrypt")
        data.stock.permit(work, *CHANGE, "BatchGetItem", "Query", "Scan")
        data.orders.permit(work, *CHANGE, "BatchGetItem", "Query", indexes=("GSI2", "GSI3"))
        data.reports.permit(work, *CHANGE, "BatchGetItem", "Query")
        verbs = ("GetObject", "PutObject", "AbortMultipartUpload")
        data.files.permit(work, *verbs, folders=["drops", "imports", "jobs"])
        return work

    def add_drops(self, data: Data, layers: Layers, jobs: dict[str, str]) -> None:
        """A folder that is looked into: nobody has to be told that a file has come."""
        self.drops = PythonFunction(self, "TakeDrops", "bulk/take_drops", layers, jobs, timeout=30)
        data.jobs.permit(self.drops, *CHANGE, "Query")
        data.files.permit(self.drops, "GetObject", folders=["drops"])
        self.let_send(self.drops)
        self.dead_letters.append(Schedule(self.drops, LOOK_EVERY).dead_letters)

    def let_ask(self, data: Data, *functions: PythonFunction) -> None:
        """For jobs of their own, and how far they are."""
        for function in functions:
            data.jobs.permit(function, *CHANGE, "Query")
            function.add_environment("JOBS_TABLE", data.jobs.table_name)
            self.let_send(function)

    def let_send(self, function: PythonFunction) -> None:
        function.permit([self.queue.queue_arn], "sqs:SendMessage")
        function.add_environment("JOB_QUEUE", self.queue.queue_url)

    def queue_of_slices(self, dead_letters: DeadLetters) -> sqs.Queue:
        """No more are fetched than are worked on, so a message that comes again was not finished;
        that of a worker which died comes again soon."""
        function = dead_letters.function
        assert function.timeout
        return sqs.Queue(
            self,
            "Slices",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not function.target.is_local,
            visibility_timeout=Duration.seconds(function.timeout.to_seconds() + 30),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=TRIES),
        )

    def drain(self) -> None:
        together = TOGETHER_HERE if self.work.target.is_local else TOGETHER
        scaling = lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=together)
        drain(self, self.queue, self.work, batch_size=1, scaling_config=scaling)
