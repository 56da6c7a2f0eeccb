"""The fulfillment network: where places lie, when they work, what a carrier asks and takes.

Everything here is a figure of its arguments: an order's instant, a location, the tables of the
carriers. Configuration is read by `oms.adapters.network_table`.
"""
