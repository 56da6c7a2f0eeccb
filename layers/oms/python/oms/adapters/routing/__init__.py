"""Routing at work: what it knows, what it decides, how the units and the capacity are taken."""
