"""Replay an order history through the HTTP API, as its customers once ordered."""
