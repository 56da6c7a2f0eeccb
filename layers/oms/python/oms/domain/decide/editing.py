"""Change sets: what an order would cost with them, and what follows when they are applied."""
