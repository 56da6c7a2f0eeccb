"""What returns make of an order."""
