"""Segments of customers: what they say (definition), and who belongs to them (membership)."""
