"""Routes of what shops are told."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/shops/{shop}/tasks", "TasksApi", "channels.read",
          None, "ShopTaskPage", "List what a shop is to be told, was told, or has refused"),
    Route("POST", "/shops/{shop}/stock", "TasksApi", "channels.write",
          "TellStock", "ToldStock", "Tell a shop the levels of some SKUs anew"),
    Route("POST", "/shops/{shop}/redrive", "TasksApi", "channels.write",
          None, "Redriven", "Tell a shop again all that has failed"),
    Route("POST", "/tasks/{task_id}/redrive", "TasksApi", "channels.write",
          None, "ShopTask", "Tell a shop again what has failed"),
)
# fmt: on
