"""Goods that come back: from the request to what is given for them."""
