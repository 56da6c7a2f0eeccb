"""Routes of the systems that are told of events."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/subscribers", "SubscribersApi", "subscribers",
          None, "SubscriberPage", "List the systems that are told of events"),
    Route("POST", "/subscribers", "SubscribersApi", "subscribers",
          "PutSubscriber", "Subscriber", "Tell another system of events; its secret is told once"),
    Route("GET", "/subscribers/{subscriber_id}", "SubscribersApi", "subscribers",
          None, "Subscriber", "See a subscriber, and how it is"),
    Route("PUT", "/subscribers/{subscriber_id}", "SubscribersApi", "subscribers",
          "PutSubscriber", "Subscriber", "Change all that is said of a subscriber"),
    Route("DELETE", "/subscribers/{subscriber_id}", "SubscribersApi", "subscribers",
          None, "Subscriber", "Forget a subscriber, its secrets and what waits for it"),
    Route("POST", "/subscribers/{subscriber_id}/secrets", "SubscribersApi", "subscribers",
          "RotateSecret", "NewSecret", "Make a new secret; those before it are valid for a while"),
    Route("POST", "/subscribers/{subscriber_id}/test", "SubscribersApi", "subscribers",
          None, "WebhookDelivery", "Send a message that tells of nothing, now"),
    Route("GET", "/subscribers/{subscriber_id}/deliveries", "SubscribersApi", "subscribers",
          None, "WebhookDeliveryPage", "List what a subscriber was sent, waits for, or never took"),
    Route("POST", "/subscribers/{subscriber_id}/deliveries/{delivery_id}/retry", "SubscribersApi",
          "subscribers", None, "WebhookDelivery", "Send a message again, under its id"),
    Route("POST", "/subscribers/{subscriber_id}/replays", "SubscribersApi", "subscribers",
          "StartReplay", "SubscriberReplay", "Send the events of a period once more"),
    Route("GET", "/subscribers/{subscriber_id}/replays/{replay_id}", "SubscribersApi",
          "subscribers", None, "SubscriberReplay", "See how far a replay is"),
    Route("GET", "/events/catalogue", "SubscribersApi", "subscribers",
          None, "EventTypePage", "List the types of events that are published"),
    Route("GET", "/events/catalogue/{type}", "SubscribersApi", "subscribers",
          None, "EventType", "See the JSON Schema of the messages of a type"),
)
# fmt: on
