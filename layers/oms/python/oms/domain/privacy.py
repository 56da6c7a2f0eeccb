"""What is kept of a person, for how long, and what stands against destroying it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class PrivacyPolicy:
    """Days, of each kind of personal data; years, of invoices that a law makes us keep.

    `contact_days` count from the order's end, and anew from the end of a later return.
    `erase_open_orders`: an erasure does not wait for orders that are under way.
    """

    contact_days: int = 730
    export_days: int = 7
    access_log_days: int = 730
    document_years: int = 10
    erase_open_orders: bool = False

    def contact_until(self, ended_at: datetime) -> datetime:
        return ended_at + timedelta(days=self.contact_days)

    def export_until(self, made_at: datetime) -> datetime:
        return made_at + timedelta(days=self.export_days)

    def access_until(self, read_at: datetime) -> datetime:
        return read_at + timedelta(days=self.access_log_days)

    def document_until(self, issued_at: datetime) -> datetime:
        """The duty counts from the end of the year of issue."""
        return issued_at.replace(
            year=issued_at.year + self.document_years + 1,
            month=1,
            day=1,
            hour=0,
            minute=0,
            second=0,
            microsecond=0,
        )
