"""Quiet hours: when the customer sleeps, what can wait does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oms.domain.notices.brands import NoticePolicy

# The zone in which most of a country's people live; of a wide country, the one in its middle, so
# that nobody is woken much too early.
ZONES = {
    "AR": "America/Argentina/Buenos_Aires",
    "AT": "Europe/Vienna",
    "AU": "Australia/Sydney",
    "BE": "Europe/Brussels",
    "BR": "America/Sao_Paulo",
    "CA": "America/Winnipeg",
    "CH": "Europe/Zurich",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CO": "America/Bogota",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IN": "Asia/Kolkata",
    "IT": "Europe/Rome",
    "JP": "Asia/Tokyo",
    "KR": "Asia/Seoul",
    "LU": "Europe/Luxembourg",
    "MX": "America/Mexico_City",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "NZ": "Pacific/Auckland",
    "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SG": "Asia/Singapore",
    "US": "America/Chicago",
    "ZA": "Africa/Johannesburg",
}


def zone_of(country: str, preferred: str = "") -> ZoneInfo:
    for name in filter(None, (preferred, ZONES.get(country, ""))):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def morning(policy: NoticePolicy, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet that there is now ends; None where there is none. In UTC."""
    there = now.astimezone(zone)
    if not _is_quiet(policy, there.hour):
        return None
    end = there.replace(hour=policy.quiet_to, minute=0, second=0, microsecond=0, fold=0)
    if end <= there:
        end = (end + timedelta(days=1)).replace(hour=policy.quiet_to)
    return end.astimezone(UTC)


def _is_quiet(policy: NoticePolicy, hour: int) -> bool:
    start, end = policy.quiet_from, policy.quiet_to
    return start <= hour < end if start <= end else hour >= start or hour < end
