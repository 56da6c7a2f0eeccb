"""The HTTP API: every route of the table, each with its scope, all throttled and logged.

A stack of its own: CloudFormation takes 500 resources in one. It knows functions by their names,
so that no export of theirs keeps one of the two stacks from being changed.
"""

import json
from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.alarms import watch_api
from infra.data import Callers
from infra.python_function import PythonFunction, log_of
from infra.service import Insight, Outside, People, Service
from oms.contracts.routes import RESOURCE_SERVER, ROUTES, Route

SLOW = ("POST /gift-cards/lookup",)  # where somebody might guess
FEW_GUESSES = {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 10}  # of all callers together
REQUESTS_PER_SECOND, BURST = 2_500, 5_000  # 300 orders a second, with all that follows an order
OPENED_BY_SIGNATURE = "The function verifies the sender's signature over the raw body"
OPENED_BY_TOKEN = "The function verifies the token of its order or address, which is in the path"
LOGGED = {
    "request": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "milliseconds": "$context.responseLatency",
    "client": "$context.authorizer.claims.client_id",
    "refused": "$context.authorizer.error",
    "error": "$context.integrationErrorMessage",
}


class Api(Stack):
    def __init__(
        self,
        scope: Construct,
        name: str,
        callers: Callers,
        topic: sns.Topic,
        stacks: Sequence[Service | Outside | People | Insight],
    ) -> None:
        super().__init__(scope, name, description="Baton: what answers HTTP")
        for stack in stacks:
            self.add_stack_dependency(stack)
        self.http = HttpApi(self, callers, [each for stack in stacks for each in stack.served])
        watch_api(self, self.http.api, topic)
        CfnOutput(self, "ApiUrl", value=self.http.api.attr_api_endpoint)
        CfnOutput(self, "ApiId", value=self.http.api.ref)


class HttpApi(Construct):
    def __init__(
        self, scope: Construct, callers: Callers, functions: Sequence[PythonFunction]
    ) -> None:
        super().__init__(scope, "HttpApi")
        name = f"{Stack.of(self).stack_name}-Api"
        self.api = apigateway.CfnApi(self, "Api", name=name, protocol_type="HTTP")
        self.authorizer = self.jwt_authorizer(callers)
        self.integrations = {function.node.id: self.integrate(function) for function in functions}
        routes = {route.key: self.route(route) for route in ROUTES}
        stage = self.stage(name)
        for key in SLOW:
            stage.add_dependency(routes[key])  # its settings name them

    @property
    def arn(self) -> str:
        return Stack.of(self).format_arn(service="execute-api", resource=self.api.ref)

    def jwt_authorizer(self, callers: Callers) -> apigateway.CfnAuthorizer:
        return apigateway.CfnAuthorizer(
            self,
            "Tokens",
            api_id=self.api.ref,
            name="Tokens",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=callers.issuer, audience=[callers.client.ref]
            ),
        )

    def integrate(self, function: PythonFunction) -> apigateway.CfnIntegration:
        lambda_.CfnPermission(
            self,
            f"{function.node.id}Permission",
            action="lambda:InvokeFunction",
            function_name=function.arn_by_name,
            principal="apigateway.amazonaws.com",
            source_arn=f"{self.arn}/*/*",
        )
        return apigateway.CfnIntegration(
            self,
            function.node.id,
            api_id=self.api.ref,
            integration_type="AWS_PROXY",
            integration_uri=function.arn_by_name,
            payload_format_version="2.0",
        )

    def route(self, route: Route) -> apigateway.CfnRoute:
        open_to_all = route.scope is None
        declared = apigateway.CfnRoute(
            self,
            route.key,
            api_id=self.api.ref,
            route_key=route.key,
            target=f"integrations/{self.integrations[route.function_id].ref}",
            authorization_type="NONE" if open_to_all else "JWT",
            authorizer_id=None if open_to_all else self.authorizer.ref,
            authorization_scopes=None if open_to_all else [f"{RESOURCE_SERVER}/{route.scope}"],
        )
        if open_to_all:
            acknowledge(
                declared, "APIG4", OPENED_BY_TOKEN if tracked(route) else OPENED_BY_SIGNATURE
            )
        return declared

    def stage(self, name: str) -> apigateway.CfnStage:
        log = log_of(self, "Access", f"/aws/apigateway/{name}")
        return apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.log_group_arn, format=json.dumps(LOGGED)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=REQUESTS_PER_SECOND, throttling_burst_limit=BURST
            ),
            route_settings=dict.fromkeys(SLOW, FEW_GUESSES),
        )


def tracked(route: Route) -> bool:
    return "{token}" in route.path
