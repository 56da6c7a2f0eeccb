"""What a function needs that speaks to payment providers: their library, keys and addresses."""

from infra.data import Data
from infra.python_function import Layers, PythonFunction

STRIPE = "https://api.stripe.com"


def let_ask_providers(function: PythonFunction, data: Data, layers: Layers) -> None:
    """The settings of `oms.adapters.payments.SETTINGS`; `stripeApi` names a stand-in of Stripe."""
    function.add_layers(layers.packages("payments"))
    function.add_environment("SECRET_ID", data.secrets.arn)
    function.add_environment("STRIPE_API", function.node.try_get_context("stripeApi") or STRIPE)
    data.secrets.permit(function)
