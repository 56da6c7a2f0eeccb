"""Everything that was told on the bus, kept: reports are made of it, and made anew."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.consumers import TRY_FOR, Schedule, pattern
from infra.data import Data
from infra.python_function import Layers, PythonFunction
from oms.adapters.event_log import FOLDER

EVERY = Duration.minutes(1)
KEEP = Duration.days(14)  # what could not be archived yet
TRIES = 100  # whatever is wrong with the archive, there is more than an hour to put it right


class Archive(Construct):
    """The queue takes every event; what is in the archive stays there."""

    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Archive")
        self.collect = PythonFunction(
            self,
            "CollectEvents",
            "archive/collect_events",
            layers,
            archive_of(data),
            timeout=120,
            memory=512,
        )
        schedule = Schedule(self.collect, EVERY)
        self.dead_letters = [schedule.dead_letters]
        self.queue = self.queue_of_events(schedule)
        self.permit(data)
        rule = events.Rule(
            self,
            "Everything",
            event_bus=data.bus,
            event_pattern=pattern([]),
            description="Every event → the archive",
        )
        rule.add_target(
            targets.SqsQueue(
                self.queue,
                dead_letter_queue=schedule.dead_letters,
                max_event_age=TRY_FOR,
                retry_attempts=20,
            )
        )

    def queue_of_events(self, schedule: Schedule) -> sqs.Queue:
        """Nobody else sees a message while the function may still archive it."""
        assert self.collect.timeout
        return sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not self.collect.target.is_local,
            retention_period=KEEP,
            visibility_timeout=Duration.seconds(self.collect.timeout.to_seconds() + 30),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=schedule.dead_letters, max_receive_count=TRIES
            ),
        )

    def permit(self, data: Data) -> None:
        self.collect.add_environment("EVENT_QUEUE", self.queue.queue_url)
        self.collect.permit([self.queue.queue_arn], "sqs:DeleteMessage", "sqs:ReceiveMessage")
        data.reports.permit(self.collect, "PutItem", "Query")
        data.files.permit(self.collect, "PutObject", "AbortMultipartUpload", folders=[FOLDER])


def archive_of(data: Data) -> dict[str, str]:
    """Where it is: the environment of whoever writes or reads it."""
    return {
        "REPORTS_TABLE": data.reports.table_name,
        "FILES_BUCKET": data.files.bucket_name,
    }


def let_read(data: Data, function: PythonFunction) -> None:
    """The segments, behind a checkpoint of its own."""
    data.reports.permit(function, "GetItem", "Query", "UpdateItem")
    data.files.permit(function, "GetObject", folders=[FOLDER])
