import json

from oms.contracts.routes import ROUTES, SCOPES
from tests.infra.conftest import Assembly


def test_the_routes_of_the_table_are_served_each_with_its_scope(aws: Assembly) -> None:
    served = {
        route["Properties"]["RouteKey"]: route["Properties"].get("AuthorizationScopes")
        for route in aws.of_type("ApiGatewayV2::Route").values()
    }

    assert served == {
        route.key: [f"oms/{route.scope}"] if route.scope else None for route in ROUTES
    }


def test_each_route_goes_to_its_function(aws: Assembly) -> None:
    served = {}
    for route in aws.of_type("ApiGatewayV2::Route").values():
        target = route["Properties"]["Target"]["Fn::Join"][1][1]["Ref"]
        uri = aws.resources[target]["Properties"]["IntegrationUri"]
        named = uri["Fn::Join"][1][-1].partition(":function:")[2]
        served[route["Properties"]["RouteKey"]] = named.rpartition("-")[2]

    assert set(served.values()) <= aws.functions.keys()
    assert served == {route.key: route.function_id for route in ROUTES}


def test_only_webhooks_and_tracking_pages_come_without_a_token(aws: Assembly) -> None:
    open_to_all = {
        route["Properties"]["RouteKey"]
        for route in aws.of_type("ApiGatewayV2::Route").values()
        if route["Properties"]["AuthorizationType"] == "NONE"
    }

    assert open_to_all == {route.key for route in ROUTES if route.scope is None}
    tracked = {key for key in open_to_all if "{token}" in key}
    assert all(key.endswith("/webhooks") for key in open_to_all - tracked)


def test_every_scope_is_offered_by_the_user_pool(aws: Assembly) -> None:
    (server,) = aws.of_type("Cognito::UserPoolResourceServer").values()
    offered = {scope["ScopeName"] for scope in server["Properties"]["Scopes"]}

    assert offered == set(SCOPES)
    assert {route.scope for route in ROUTES if route.scope} == offered


def test_the_gateway_throttles_logs_and_shares_nothing_with_browsers(aws: Assembly) -> None:
    (api,) = aws.of_type("ApiGatewayV2::Api").values()
    (stage,) = aws.of_type("ApiGatewayV2::Stage").values()
    settings = stage["Properties"]["DefaultRouteSettings"]

    assert "CorsConfiguration" not in api["Properties"]
    assert settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"]
    assert json.loads(stage["Properties"]["AccessLogSettings"]["Format"])["status"]


def test_codes_of_gift_cards_are_not_guessed_fast(aws: Assembly) -> None:
    (stage,) = aws.of_type("ApiGatewayV2::Stage").values()
    slow = stage["Properties"]["RouteSettings"]["POST /gift-cards/lookup"]

    assert slow["ThrottlingRateLimit"] <= slow["ThrottlingBurstLimit"] <= 10
    named = {aws.resources[name]["Properties"].get("RouteKey") for name in stage["DependsOn"]}
    assert "POST /gift-cards/lookup" in named


def test_no_address_of_a_caller_is_logged(aws: Assembly) -> None:
    (stage,) = aws.of_type("ApiGatewayV2::Stage").values()

    assert "sourceIp" not in stage["Properties"]["AccessLogSettings"]["Format"]


def test_the_gateway_may_call_what_it_serves_and_nobody_else_may_through_it(aws: Assembly) -> None:
    api = aws.templates["OmsApi"]["Resources"]
    allowed = {
        it["Properties"]["FunctionName"]["Fn::Join"][1][-1].rpartition("-")[2]
        for it in api.values()
        if it["Type"] == "AWS::Lambda::Permission"
    }

    assert allowed == {route.function_id for route in ROUTES}
