"""Promises of a day of arrival: how sure one is, how it stands, what may be done for it."""
