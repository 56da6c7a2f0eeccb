"""What an order costs, how fast it goes, and what of it AWS would allow per second."""
