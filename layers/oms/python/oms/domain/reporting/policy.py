"""The policy `reports`."""

from __future__ import annotations

from dataclasses import dataclass

from oms.domain.reporting.mailing import ReportMail


@dataclass(frozen=True, slots=True)
class ReportPolicy:
    """`time_zone`: whose days reports have. What was counted stays as it is until it is rebuilt.
    `mails`: who is sent which report, and when."""

    time_zone: str = "UTC"
    mails: tuple[ReportMail, ...] = ()
