"""IAM decides about the resources and the verbs that AWS would name.

Unpatched: sending an e-mail is asked for on `*`, so that a role that may send from one identity,
as it should be, may send nothing; and deleting ten messages of a queue at once is a verb of its
own, while in AWS who may delete one may delete ten. To see one event source mapping is to list
them all, and whoever changes one is not asked for anything.
"""

from email.utils import parseaddr

from ministack.core import iam_actions

from infra.local.patches.source import edit


def apply() -> None:
    vars(iam_actions)["baton_address"] = address
    edit(
        iam_actions,
        "_ses_v2_resource_arn",
        "96f8ace790be",
        (
            "    parts = [p for p in",
            "    if path.rstrip('/') == '/v2/email/outbound-emails':\n"
            "        sender = baton_address(_safe_json_field(body, 'FromEmailAddress'))\n"
            "        return f'arn:aws:ses:{region}:{account_id}:identity/{sender}'\n"
            "    parts = [p for p in",
        ),
    )
    edit(
        iam_actions,
        "_action_from_target",
        "c5279c8ae2ff",
        (
            "        return target.rsplit",
            "        if target == 'AmazonSQS.DeleteMessageBatch':\n"
            "            return 'DeleteMessage'\n"
            "        return target.rsplit",
        ),
    )
    edit(
        iam_actions,
        "_lambda_action",
        "19fa24ebca40",
        (
            '        if "event-source-mappings" in parts:\n',
            '        if "event-source-mappings" in parts[:-1]:\n'
            '            verb = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}.get(method)\n'
            '            return verb and f"{verb}EventSourceMapping"\n'
            '        if "event-source-mappings" in parts:\n',
        ),
    )


def address(sender: str | None) -> str:
    """Of `Baton <orders@example.com>`, the identity."""
    return parseaddr(sender or "")[1]
