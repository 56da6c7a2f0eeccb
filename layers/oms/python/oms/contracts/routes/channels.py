"""Routes of the shops on other platforms, and of what they said."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/shops", "ChannelsApi", "channels.read",
          None, "ShopPage", "List the shops on other platforms"),
    Route("GET", "/shops/{shop}", "ChannelsApi", "channels.read",
          None, "Shop", "See a shop: where its API is, and what it is told"),
    Route("PUT", "/shops/{shop}", "ChannelsApi", "channels.write",
          "PutShop", "Shop", "Name a shop, or change all that is said of it"),
    Route("PUT", "/shops/{shop}/skus", "ChannelsApi", "channels.write",
          "MapSkus", "Skus", "Say which SKUs a shop's own ids stand for"),
    Route("GET", "/inbox", "ChannelsApi", "channels.read",
          None, "InboxPage", "List what shops said and nobody understood, oldest first"),
    Route("GET", "/inbox/{message_id}", "ChannelsApi", "channels.read",
          None, "InboxMessage", "See such a message; what it says, with the scope ops"),
    Route("POST", "/inbox/{message_id}/replay", "ChannelsApi", "channels.write",
          None, "Replay", "Read a message again, as if it came now"),
    Route("POST", "/inbox/{message_id}/dismiss", "ChannelsApi", "channels.write",
          None, "Inbox", "Do nothing with a message, and forget what it says"),
)
# fmt: on
