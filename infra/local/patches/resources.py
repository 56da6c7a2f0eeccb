"""Templates that AWS takes mean what they mean there.

Unpatched: a stack with metric math in an alarm is refused (here it is kept, though never judged);
a reference to a secret is its name, where AWS gives the ARN that policies are written with; a
mapping that is deployed disabled says that it is enabled.
"""

from ministack.services.cloudformation import provisioners

from infra.local.patches.source import edit


def apply() -> None:
    edit(
        provisioners,
        "_cw_metric_alarm_record",
        "4565fcede1eb",
        (
            "        raise ValueError(\n"
            '            "AWS::CloudWatch::Alarm Properties.Metrics (metric math) '
            'is not supported; "\n'
            '            "use MetricName and Namespace."\n'
            "        )\n",
            "        props = {**props, 'MetricName': props['Metrics'][0]['Id'], "
            "'Namespace': 'MetricMath', 'Period': 60, 'Statistic': 'Sum'}\n",
        ),
    )
    edit(
        provisioners,
        "_sm_secret_create",
        "0bae0110fce2",
        ('    return name, {"Id": arn, "Arn": arn}\n', '    return arn, {"Id": arn, "Arn": arn}\n'),
    )
    edit(
        provisioners,
        "_lambda_esm_create",
        "f053a4e8c30c",
        (
            '        "State": "Enabled",\n',
            '        "State": "Enabled" if props.get("Enabled", True) else "Disabled",\n',
        ),
    )
    for name, expected in (
        ("_sm_secret_update", "e87220a5ff35"),
        ("_sm_secret_delete", "4ff615ac8289"),
    ):
        edit(
            provisioners,
            name,
            expected,
            (
                "    secret = _sm._secrets.get(physical_id)\n",
                "    key, secret = _sm._resolve(physical_id)\n",
            ),
            *PURGE.get(name, ()),
        )


PURGE = {
    "_sm_secret_delete": [
        ("_sm._purge_secret(physical_id, secret)", "_sm._purge_secret(key, secret)")
    ]
}
