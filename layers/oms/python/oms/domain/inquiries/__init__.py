"""What customers ask, and what becomes of it."""
