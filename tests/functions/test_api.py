"""The Chalice app, as API Gateway calls it and as its own test client does."""

import json
from typing import Any

import pytest
from chalice.test import Client

import app
from tests.functions import rest
from tests.functions.hall import DOCUMENT, SECRET, line_body
from tests.functions.hall import signed as request_of
from tests.gateways.aws import Aws


@pytest.fixture
def hub(aws: Aws) -> Aws:
    """With the secrets of the front door."""
    aws.secret("verify", DOCUMENT)
    return aws


def now_signed(body: bytes) -> dict[str, str]:
    return dict(request_of(body).headers)


def answered(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = app.app(event, rest.Context())
    return found


CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "text/plain",
    "text/xml",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "image/png",
    "nonsense",
    "",
    None,
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_a_delivery_of_any_content_type_is_its_raw_bytes(
    hub: Aws, content_type: str | None
) -> None:
    body = line_body("naïve 😀 “quotes”").replace(b'"events"', b'\n  "events"')
    headers = now_signed(body) | ({"Content-Type": content_type} if content_type else {})
    told = answered(rest.event("/webhooks/line", body, headers))
    assert (told["statusCode"], told["body"]) == (200, "ok")
    [event] = hub.heard()
    assert event.data.text == "naïve 😀 “quotes”"  # type: ignore[attr-defined]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png", None])
def test_an_answer_is_text_whatever_the_platform_accepts(hub: Aws, accept: str | None) -> None:
    headers = now_signed(line_body()) | ({"Accept": accept} if accept else {})
    told = answered(rest.event("/webhooks/line", line_body(), headers))
    assert told["statusCode"] == 200 and not told.get("isBase64Encoded")
    assert told["headers"]["Content-Type"] == "text/plain; charset=utf-8"


def test_a_body_that_was_not_encoded_is_read_too(hub: Aws) -> None:
    event = rest.event("/webhooks/line", line_body().decode(), now_signed(line_body()))
    assert answered(event)["statusCode"] == 200 and len(hub.heard()) == 1


def test_names_of_headers_come_in_any_case(hub: Aws) -> None:
    headers = {name.upper(): value for name, value in now_signed(line_body()).items()}
    assert answered(rest.event("/webhooks/line", line_body(), headers))["statusCode"] == 200


def test_a_signature_given_twice_is_refused(hub: Aws) -> None:
    right = now_signed(line_body())["x-line-signature"]
    for pair in ([right, "forged"], [f"{right}, forged"]):
        event = rest.event("/webhooks/line", line_body(), {"x-line-signature": pair})
        assert answered(event)["statusCode"] == 401
    assert hub.heard() == []


def test_bytes_that_are_no_text_are_refused_and_not_an_error(hub: Aws) -> None:
    for body in (b"\xff\xfe\x00", b"\x80" * 100):
        told = answered(rest.event("/webhooks/line", body, now_signed(body)))
        assert (told["statusCode"], told["body"]) == (400, "bad request")


def test_a_delivery_without_a_body_or_a_header_is_refused(hub: Aws) -> None:
    assert answered(rest.event("/webhooks/line"))["statusCode"] == 401
    assert answered(rest.event("/webhooks/line", ""))["statusCode"] == 401


REFUSED = {
    ("/webhooks/nobody", "POST"): (404, "not found"),
    ("/webhooks/line/nobody", "POST"): (404, "not found"),
    ("/webhooks/line", "POST"): (401, "unauthorized"),
    ("/webhooks/line", "GET"): (405, "method not allowed"),
    ("/webhooks/line", "OPTIONS"): (405, "method not allowed"),
    ("/webhooks/whatsapp", "GET"): (400, "bad request"),
    ("/webhooks/easypost", "POST"): (503, "try again later"),
    ("/webhooks/%2e%2e%2ferrors", "GET"): (404, "not found"),
}


@pytest.mark.parametrize(("path", "method"), REFUSED)
def test_a_refusal_is_the_same_words_for_everybody(hub: Aws, path: str, method: str) -> None:
    told = answered(rest.event(path, b"{}", {"x": "y"}, method))
    assert (told["statusCode"], told["body"]) == REFUSED[path, method]
    assert told["headers"]["Content-Type"] == "text/plain; charset=utf-8"
    assert hub.wire.delivered == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_method_that_has_no_route_is_405(hub: Aws, method: str) -> None:
    told = answered(rest.event("/webhooks/line", b"{}", {}, method))
    assert told["statusCode"] == 405 and hub.wire.sent == []


def test_a_challenge_comes_back_as_it_was_sent(hub: Aws) -> None:
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": "the-verify-token",
    }
    told = answered(rest.event("/webhooks/whatsapp", method="GET", query=query))
    assert (told["statusCode"], told["body"]) == (200, "1158201444")
    query["hub.verify_token"] = "wrong"
    assert (
        answered(rest.event("/webhooks/whatsapp", method="GET", query=query))["statusCode"] == 403
    )


def test_the_account_of_the_url_is_whose_secret_signs(aws: Aws) -> None:
    two = {"default": {"channel_secret": "other"}, "Ubrand": {"channel_secret": SECRET}}
    aws.secret("verify", {"line": two})
    event = rest.event("/webhooks/line/Ubrand", line_body(), now_signed(line_body()))
    assert answered(event)["statusCode"] == 200
    other = rest.event("/webhooks/line/default", line_body(), now_signed(line_body()))
    assert answered(other)["statusCode"] == 401


def test_a_bus_that_is_down_for_ever_is_503(hub: Aws) -> None:
    hub.wire.fail("PutEvents", "throttled", times=3)
    hub.wire.fail("SendMessageBatch", "throttled", times=3)
    told = answered(rest.event("/webhooks/line", line_body(), now_signed(line_body())))
    assert (told["statusCode"], told["body"]) == (503, "try again later")


def test_a_bus_that_is_down_while_the_spill_queue_is_not_is_200(hub: Aws) -> None:
    hub.wire.fail("PutEvents", "throttled", times=3)
    told = answered(rest.event("/webhooks/line", line_body(), now_signed(line_body())))
    assert told["statusCode"] == 200 and len(hub.messages("spill")) == 1


def test_health_says_that_the_function_runs_and_looks_at_nothing(hub: Aws) -> None:
    told = answered(rest.event("/health", method="GET"))
    assert (told["statusCode"], json.loads(told["body"])) == (200, {"status": "ok"})
    assert hub.wire.sent == []


def test_nothing_else_is_served(hub: Aws) -> None:
    with Client(app.app) as client:
        for path in ("/", "/webhooks", "/webhooks/line/a/b", "/admin", "/console"):
            assert client.http.get(path).status_code in (403, 404)


def test_chalices_own_client_sees_the_same(hub: Aws) -> None:
    with Client(app.app) as client:
        headers = {**now_signed(line_body()), "Content-Type": "application/json"}
        told = client.http.post("/webhooks/line", headers=headers, body=line_body())
        assert (told.status_code, told.body) == (200, b"ok")
        assert client.http.get("/health").json_body == {"status": "ok"}
        assert client.http.options("/webhooks/line").status_code == 405
        assert client.http.post("/webhooks/line", body=b"{}").status_code == 401
    assert len(hub.heard()) == 1
