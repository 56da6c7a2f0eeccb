"""The archive as Parquet: a table that Athena reads, with questions to begin with."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.archive import archive_of, let_read
from infra.consumers import DeadLetters, Schedule
from infra.data import Data
from infra.python_function import Layers, PythonFunction
from infra.questions import questions
from oms.adapters.lake import COLUMNS, EVENTS, FOLDER

EVERY = Duration.hours(1)
DATABASE, TABLE = "baton", "told"
RESULTS = "answers"  # the folder of what Athena found
MOST_BYTES = 50 * 1024**3  # that one question may read: a quarter of a dollar
KINDS = {"VARCHAR": "string", "TIMESTAMP": "timestamp", "INTEGER": "int", "BIGINT": "bigint"}
PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


class Lake(Construct):
    """`dead_letters`: the queue of the room."""

    def __init__(
        self, scope: Construct, data: Data, layers: Layers, dead_letters: DeadLetters
    ) -> None:
        super().__init__(scope, "Lake")
        self.write = PythonFunction(
            self,
            "WriteLake",
            "lake/write_lake",
            layers,
            archive_of(data),
            timeout=300,
            memory=512,
        )
        self.write.add_layers(layers.packages("lake"))
        let_read(data, self.write)
        data.files.permit(self.write, "PutObject", "AbortMultipartUpload", folders=[FOLDER])
        Schedule(self.write, EVERY, dead_letters)
        place = f"s3://{data.files.bucket_name}"
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Stack.of(self).account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=DATABASE),
        )
        table = self.table(place)
        table.add_resource_dependency(database)
        workgroup = self.workgroup(place)
        if not layers.target.is_local:  # the embedded cloud keeps no queries
            self.questions(workgroup)

    def table(self, place: str) -> glue.CfnTable:
        """Days are known by their names: nobody has to add them."""
        columns = [
            glue.CfnTable.ColumnProperty(name=name, type=KINDS[kind])
            for name, kind in COLUMNS.items()
        ]
        return glue.CfnTable(
            self,
            "Events",
            catalog_id=Stack.of(self).account,
            database_name=DATABASE,
            table_input=glue.CfnTable.TableInputProperty(
                name=TABLE,
                table_type="EXTERNAL_TABLE",
                parameters={
                    "classification": "parquet",
                    "projection.enabled": "true",
                    "projection.day.type": "date",
                    "projection.day.range": "2020-01-01,NOW+1DAYS",
                    "projection.day.format": "yyyy-MM-dd",
                    "storage.location.template": f"{place}/{EVENTS}/day=${{day}}",
                },
                partition_keys=[glue.CfnTable.ColumnProperty(name="day", type="string")],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=columns,
                    location=f"{place}/{EVENTS}/",
                    input_format=f"{PARQUET}.MapredParquetInputFormat",
                    output_format=f"{PARQUET}.MapredParquetOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=f"{PARQUET}.serde.ParquetHiveSerDe"
                    ),
                ),
            ),
        )

    def workgroup(self, place: str) -> athena.CfnWorkGroup:
        group = athena.CfnWorkGroup
        return group(
            self,
            "WorkGroup",
            name=DATABASE,
            description="Questions about all that has happened",
            recursive_delete_option=True,
            work_group_configuration=group.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                bytes_scanned_cutoff_per_query=MOST_BYTES,
                result_configuration=group.ResultConfigurationProperty(
                    output_location=f"{place}/{RESULTS}/",
                    encryption_configuration=group.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )

    def questions(self, workgroup: athena.CfnWorkGroup) -> None:
        for each in questions():
            query = athena.CfnNamedQuery(
                self,
                "".join(word.capitalize() for word in each.name.split("_")),
                database=DATABASE,
                name=each.name,
                description=each.purpose,
                query_string=each.asked_of(f"{DATABASE}.{TABLE}"),
                work_group=DATABASE,
            )
            query.add_resource_dependency(workgroup)
