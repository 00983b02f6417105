"""What is particular to CloudEvents; what every source promises is in tests/contract."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from chalicelib import payloads as p
from chalicelib.channels.cloudevents import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import (
    InvalidSignature,
    MalformedPayload,
    Misconfigured,
    UnknownSource,
    WrongMethod,
    WrongVerifyToken,
)
from chalicelib.events import Event
from chalicelib.outbound import Response
from chalicelib.source import Request

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRETS = Accounts("cloudevents", {"default": {"token": ["new", "old"]}})
ORDER = {"shop": "store:7", "order_id": "1", "total": 30, "currency": "USD"}
EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "https://till.example/store-7",
    "type": "order.placed",
    "time": "2026-11-23T11:59:00.123456789Z",
    "data": ORDER,
}
BINARY = {f"ce-{key}": value for key, value in EVENT.items() if isinstance(value, str)}
STRUCTURED = {"content-type": "application/cloudevents+json"}


def said(document: Any, **more: Any) -> list[Event]:
    return channel.read(Request(body=json.dumps(document).encode(), now=NOW, **more))


def one(**changes: Any) -> Event:
    [event] = said({**EVENT, **changes})
    return event


def reason(event: Event) -> str:
    assert isinstance(event.data, p.Unmapped)
    return event.data.reason


def binary(body: bytes, **headers: str) -> Event:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    [event] = channel.read(Request(body=body, headers={**BINARY, **named}, now=NOW))
    return event


def test_an_event_of_our_type_is_the_fact_in_all_three_modes() -> None:
    raw = json.dumps(ORDER).encode()
    [batched], [structured] = said([EVENT]), said(EVENT, headers=STRUCTURED)
    encoded = one(data=None, data_base64=b64encode(raw).decode())

    facts = [batched, structured, encoded, binary(raw), binary(raw, content_type="text/json")]

    assert {fact.id for fact in facts} == {structured.id}
    assert {fact.subject for fact in facts} == {"order/store:7/1"}
    assert {fact.time for fact in facts} == {datetime(2026, 11, 23, 11, 59, 0, 123000, UTC)}
    assert {getattr(fact.data, "total", None) for fact in facts} == {Decimal("30.00")}


def test_source_and_id_together_name_the_fact() -> None:
    again, elsewhere, next_ = one(data={**ORDER, "note": "x"}), one(source="/b"), one(id="e-2")

    assert one().id == again.id
    assert len({one().id, elsewhere.id, next_.id}) == 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": None}, "no cloudevent: id, source, specversion, type are required"),
        ({"source": ""}, "no cloudevent: id, source, specversion, type are required"),
        ({"type": 7}, "no cloudevent: id, source, specversion, type are required"),
        ({"specversion": "0.3"}, "cloudevents of version 0.3"),
        ({"type": "com.example.someevent"}, "cloudevents com.example.someevent"),
        ({"type": "case.opened"}, "cloudevents case.opened"),
        ({"data": "<order/>"}, "order.placed: data is no object"),
        ({"data": None}, "order.placed: data is no object"),
        ({"data": {**ORDER, "channel": "line"}}, "order.placed: speaks for another channel"),
        ({"data": {"shop": "s"}}, "order.placed: order_id: missing"),
        ({"data": None, "data_base64": "!"}, "unreadable: Error"),
        (
            {"data": None, "data_base64": b64encode(b"[" * 100_000).decode()},
            "cloudevents data nested too deeply",
        ),
        (
            {"data": None, "data_base64": "e30=", "datacontenttype": "image/png"},
            "order.placed: data is no object",
        ),
    ],
)
def test_what_is_no_fact_of_ours_is_kept_with_its_reason(changes: Any, why: str) -> None:
    assert reason(one(**changes)) == why


def test_an_attribute_that_is_null_is_not_there() -> None:
    assert one(subject=None, time=None).timesuspect


def test_nobody_verifies_a_payment_by_saying_so() -> None:
    paid = {"payment_id": "p/1", "provider": "tills", "amount": "30", "currency": "USD"}

    event = one(type="payment.captured", data={**paid, "assurance": "verified"})

    assert getattr(event.data, "assurance", None) == "claimed"


def test_a_payment_is_read_again_where_its_provider_is_configured() -> None:
    paid = {"payment_id": "p/1", "provider": "tills", "amount": "30", "currency": "USD"}
    event = one(type="payment.captured", data=paid)
    keys = Credentials("x", {"reread_url": "https://pay.example/{payment_id}", "reread_key": "k"})
    stated = json.dumps({"status": "captured", "amount": "29.90", "currency": "USD"})

    verified = channel.reread_payment(event, Response(200, {}, stated.encode()))

    assert channel.reread(event, keys).url == "https://pay.example/p%2F1"
    assert verified is not None and verified.amount == Decimal("29.90")


def test_a_strange_event_costs_its_batch_nothing() -> None:
    events = said([EVENT, {"id": 7}, 7, {**EVENT, "id": "e-2"}])

    assert [event.type for event in events] == [
        "order.placed",
        "ingress.unmapped",
        "ingress.unmapped",
        "order.placed",
    ]
    assert said([]) == []


def test_header_values_are_percent_decoded_and_may_be_quoted() -> None:
    till = binary(b"{}", ce_type="a.b", ce_till="Z%C3%BCrich%20%E2%82%AC", ce_shelf='"a \\"b\\""')

    assert isinstance(till.data, p.Unmapped)
    item = json.loads(till.data.raw or "")
    assert (item["till"], item["shelf"]) == ("Zürich €", 'a "b"')


def test_binary_data_that_is_no_json_is_kept_as_it_came() -> None:
    xml = binary("<größe/>".encode(), ce_type="a.b", content_type="application/xml")
    image = binary(b"\xff\xd8", ce_type="a.b", content_type="image/jpeg")
    empty = binary(b"", ce_type="a.b")

    found = [json.loads(getattr(event.data, "raw", "")) for event in (xml, image, empty)]
    assert found[0]["data"] == "<größe/>"
    assert found[1]["data_base64"] == "/9g="
    assert not found[2].keys() & {"data", "data_base64", "datacontenttype"}


@pytest.mark.parametrize("mode", [BINARY, STRUCTURED])
def test_json_that_is_none_is_malformed(mode: dict[str, str]) -> None:
    with pytest.raises(MalformedPayload):
        channel.read(Request(body=b"{", headers=mode, now=NOW))


def test_ce_headers_beside_a_structured_event_are_not_the_event() -> None:
    [event] = said(EVENT, headers={**BINARY, **STRUCTURED, "ce-id": "other"})

    assert event.id == one().id


def test_the_account_is_the_urls_else_the_datas() -> None:
    named = {**EVENT, "data": {**ORDER, "account": "store-7"}}

    assert said(named)[0].source == "/channels/cloudevents/store-7"
    assert said(EVENT, account="a")[0].source == "/channels/cloudevents/a"
    assert reason(said(named, account="a")[0]) == "order.placed: speaks for another account"
    both = Accounts("cloudevents", {"default": {"token": "d"}, "store-7": {"token": "s"}})
    request = Request(body=json.dumps(named).encode(), now=NOW)
    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, headers=dict(channel.sign(request, "d"))), both)


def test_the_token_may_stand_in_the_header_or_in_the_query() -> None:
    request = Request(body=json.dumps(EVENT).encode(), now=NOW)
    headers = ["Bearer new", "bearer old"]

    for request_ in (
        *(replace(request, headers={"authorization": header}) for header in headers),
        replace(request, query={"access_token": "old"}),
    ):
        assert channel.receive(request_, SECRETS)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, {}),
        ({"authorization": "Bearer"}, {}),
        ({"authorization": "Bearer é"}, {"access_token": "new"}),
        ({"authorization": "Basic new"}, {}),
        ({"authorization": "new"}, {}),
        ({}, {"access_token": ""}),
        ({}, {"access_token": "ne"}),
    ],
)
def test_another_token_or_none_is_refused(headers: dict[str, str], query: dict[str, str]) -> None:
    request = Request(body=json.dumps(EVENT).encode(), headers=headers, query=query, now=NOW)

    with pytest.raises(InvalidSignature):
        channel.receive(request, SECRETS)


def asked(origin: str | None, rate: str = "", **more: Any) -> Request:
    named = {"webhook-request-origin": origin, "webhook-request-rate": rate}
    headers = {key: value for key, value in named.items() if value}
    return Request(method="OPTIONS", headers=headers, now=NOW, **more)


@pytest.mark.parametrize(
    ("rate", "granted"),
    [
        ("120", "120"),
        ("", "6000"),
        ("*", "6000"),
        ("9999999", "6000"),
        ("0", "6000"),
        ("x", "6000"),
    ],
)
def test_whoever_asks_may_send_and_is_told_how_fast(rate: str, granted: str) -> None:
    answer = channel.handshake(asked("eventemitter.example.com", rate), SECRETS)

    assert answer.status == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventemitter.example.com"
    assert answer.headers["WebHook-Allowed-Rate"] == granted


def test_where_origins_are_named_only_those_may() -> None:
    named = {"token": "t", "allowed_origins": ["eventgrid.azure.net", "till.example"]}
    accounts = Accounts("cloudevents", {"default": named, "b": {"token": "t"}})

    assert channel.handshake(asked("till.example"), accounts).status == 200
    assert channel.handshake(asked("evil.example", account="b"), accounts).status == 200
    with pytest.raises(WrongVerifyToken):
        channel.handshake(asked("evil.example"), accounts)


@pytest.mark.parametrize("origin", [None, "a b", "a\r\nSet-Cookie: x", "x" * 254, "bücher.example"])
def test_an_origin_that_is_none_is_malformed(origin: str | None) -> None:
    with pytest.raises(MalformedPayload):
        channel.handshake(asked(origin), SECRETS)


def test_nothing_is_granted_where_nothing_is_configured() -> None:
    with pytest.raises(Misconfigured):
        channel.handshake(asked("till.example"), Accounts("cloudevents"))
    with pytest.raises(UnknownSource):
        channel.handshake(asked("till.example", account="nobody"), SECRETS)
    with pytest.raises(WrongMethod):
        channel.handshake(replace(asked("till.example"), method="GET"), SECRETS)


@pytest.mark.stranger
@pytest.mark.parametrize("write", [to_binary, to_structured])
def test_what_the_reference_library_sends_is_heard(write: Any) -> None:
    named = {k: v for k, v in EVENT.items() if k not in ("data", "time")}
    at = datetime(2026, 11, 23, 11, 59, tzinfo=UTC)
    event = CloudEvent(attributes={**named, "time": at, "till": "Zürich “7”"}, data=ORDER)
    message = write(event, JSONFormat())
    headers = {key.lower(): value for key, value in message.headers.items()}

    [fact] = channel.read(Request(body=message.body, headers=headers, now=NOW))

    assert (fact.type, fact.time, fact.id) == ("order.placed", at, one().id)
    assert json.loads(getattr(fact.data, "raw", ""))["till"] == "Zürich “7”"
