"""What edits make of an order."""
