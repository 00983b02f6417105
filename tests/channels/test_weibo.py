"""What is particular to Weibo."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from chalicelib import payloads as p
from chalicelib.channels._xml import read_xml
from chalicelib.channels.weibo import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import (
    InvalidSignature,
    MalformedPayload,
    Unsupported,
    WrongMethod,
    WrongVerifyToken,
)
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response
from chalicelib.source import Request
from tests.samples import EVENTS, NOW, SHARED

BRAND, FAN = "5612340987", "7712345601"
FAN_HERE = p.Identity(channel="weibo", scope=BRAND, subject=FAN)
ACCOUNTS = Accounts("weibo", {"default": {"app_secret": "s"}})
KEYS = Credentials("weibo/default", {"app_secret": "s", "access_token": "t"})
SAID = NOW - timedelta(seconds=10)


def posted(name: str, **more: Any) -> Request:
    body = next(iter(EVENTS.glob(f"weibo/{name}.*"))).read_bytes()
    return channel.signed(Request(**{"body": body, "now": NOW, **more}), "s")


def heard(name: str) -> list[Event]:
    return channel.receive(posted(name), ACCOUNTS)


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def test_a_text_is_said_in_our_words() -> None:
    event = only("message_text")
    assert event.subject == f"identity/weibo/{BRAND}/{FAN}"
    assert event.time == SAID
    assert event.data.text == "我的订单 A-1001 还没到"
    assert event.data.author == p.Author(kind="customer", identity=FAN_HERE)
    assert event.data.conversation_id == f"weibo/{BRAND}/{FAN}"
    assert event.data.window_until == SAID + timedelta(hours=48)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("message_image", p.Media(media="image", media_id="821800002")),
        ("message_voice", p.Media(media="audio", media_id="821800004")),
        (
            "message_position",
            p.Location(
                latitude=31.230416, longitude=121.473701, name="我在这里: http://t.cn/parley"
            ),
        ),
        ("message_of_a_new_kind", p.UnsupportedPart(type="sticker")),
        ("xml_message_text", p.Text(text="在吗？")),
        ("xml_message_image", p.Media(media="image", media_id="821800005")),
        ("xml_message_location", p.Location(latitude=31.230416, longitude=121.473701, name="上海")),
    ],
)
def test_every_kind_of_message_has_its_part(name: str, part: Any) -> None:
    event = only(name)
    assert event.data.content == (part,)
    assert event.time == SAID


def test_two_messages_of_one_second_are_two_and_a_repeated_one_is_one() -> None:
    names = ("message_text", "message_image", "message_voice", "event_click", "event_view")
    assert len({only(name).id for name in names}) == 5
    body = json.loads(posted("message_text").body)
    compact = channel.signed(Request(body=json.dumps(body).encode(), now=NOW), "s")
    assert channel.receive(compact, ACCOUNTS)[0].id == only("message_text").id


def test_a_mention_is_public_and_its_answer_private() -> None:
    event = only("mention")
    assert (event.type, event.subject) == (
        "mention.created",
        f"post/weibo/{BRAND}/5093001122334455",
    )
    assert (event.data.visibility, event.data.message_id) == ("public", "5093001122334455")
    assert event.data.author.identity == FAN_HERE
    assert event.data.window_until == SAID + timedelta(hours=48)
    nameless = only("mention_without_key").data
    assert nameless.public.post_id == nameless.message_id


def test_the_accounts_own_words_are_nobodys_complaint() -> None:
    for name, type_ in (("message_own", "message.echoed"), ("mention_own", "mention.created")):
        event = only(name)
        assert event.type == type_
        assert (event.data.direction, event.data.author.kind) == ("out", "business")


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("event_follow", "conversation.opened"),
        ("event_subscribe", "conversation.opened"),
        ("xml_event_subscribe", "conversation.opened"),
        ("event_scan", "referral.received"),
        ("event_click", "postback.received"),
        ("event_view", "postback.received"),
        ("xml_event_click", "postback.received"),
    ],
)
def test_what_a_fan_does_opens_the_window(name: str, type_: str) -> None:
    event = only(name)
    assert event.type == type_
    assert event.data.window_until == SAID + timedelta(hours=48)


@pytest.mark.parametrize("name", ["event_unfollow", "event_unsubscribe"])
def test_who_leaves_wants_nothing_more(name: str) -> None:
    event = only(name)
    assert (event.type, event.data.identity) == ("consent.withdrawn", FAN_HERE)


@pytest.mark.parametrize("name", ["event_scan_follow", "xml_event_subscribe_qr"])
def test_a_scan_that_makes_a_fan_says_both(name: str) -> None:
    opened, referred = heard(name)
    data: Any = referred.data
    assert (opened.type, data.ref, data.medium) == ("conversation.opened", "box-42", "qr")


def test_no_time_is_our_time() -> None:
    body = json.loads(posted("message_text").body) | {"created_at": "yesterday"}
    [event] = channel.receive(
        channel.signed(Request(body=json.dumps(body).encode(), now=NOW), "s"), ACCOUNTS
    )
    assert (event.time, event.timesuspect) == (NOW, True)


# -- who may speak -----------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "0" * 40, "é", "\udcff"])
@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
def test_a_forged_query_is_refused_whatever_it_looks_like(name: str, value: str) -> None:
    request = posted("message_text")
    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, query={**request.query, name: value}), ACCOUNTS)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_url_is_good_for_five_minutes(minutes: int) -> None:
    with pytest.raises(InvalidSignature):
        channel.receive(replace(posted("mention"), now=NOW + timedelta(minutes=minutes)), ACCOUNTS)


def test_a_body_is_vouched_for_by_nothing() -> None:
    """Said in the module: within its five minutes a URL that was seen carries any body."""
    other = replace(posted("mention"), body=posted("message_text").body)
    assert channel.receive(other, ACCOUNTS)[0].type == "message.received"


def vectors() -> Iterator[dict[str, Any]]:
    path = SHARED / "samples" / "weibo" / "vectors.json"
    yield from json.loads(path.read_text()) if path.is_file() else ()


@pytest.mark.skipif(not SHARED.is_dir(), reason="PARLEY_SHARED is not here")
@pytest.mark.parametrize("vector", [*vectors()], ids=lambda v: v["name"])
def test_published_vectors_agree(vector: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(int(vector["query"]["timestamp"]) / 1000, UTC)
    request = Request(method="GET", query=vector["query"], now=now)
    known = Accounts("weibo", {"default": {"app_secret": vector["app_secret"]}})
    if vector["expect"] == "403":
        with pytest.raises(WrongVerifyToken):
            channel.handshake(request, known)
    else:
        assert channel.handshake(request, known).body == vector["expect"]["body"]


def test_the_handshake_refuses() -> None:
    for query in ({}, {"echostr": "x"}, {"echostr": "<b>", "timestamp": "1"}):
        with pytest.raises(MalformedPayload):
            channel.handshake(Request(method="GET", query=query), ACCOUNTS)
    with pytest.raises(WrongMethod):
        channel.handshake(Request(method="OPTIONS"), ACCOUNTS)


# -- what we say -------------------------------------------------------------------------------


def test_an_accepted_delivery_is_told_nothing() -> None:
    assert channel.answer(posted("message_text")).body == ""


def test_the_answer_in_a_json_response_is_encoded_once() -> None:
    told = channel.answer_with("在路上 & 50%", posted("message_text"), KEYS)
    assert told.content_type.startswith("application/json")
    said = json.loads(told.body)
    data = said.pop("data")
    assert said == {"result": True, "sender_id": BRAND, "receiver_id": FAN, "type": "text"}
    assert data.startswith("%7B%22text%22%3A%22%E5%9C%A8")
    assert json.loads(unquote(data)) == {"text": "在路上 & 50%"}


def test_the_answer_to_xml_is_xml() -> None:
    told = channel.answer_with("在路上", posted("xml_message_text"), KEYS)
    said = read_xml(told.body.encode())
    assert (said["ToUserName"], said["FromUserName"], said["Content"]) == (FAN, BRAND, "在路上")


def outgoing(**more: Any) -> Outgoing:
    return replace(Outgoing("k", FAN_HERE, BRAND, f"weibo/{BRAND}/{FAN}", "在路上 & 50%"), **more)


def test_a_message_is_a_form_whose_data_is_encoded_twice() -> None:
    call = channel.compose(outgoing(), KEYS)
    assert call.url == "https://m.api.weibo.com/2/messages/reply.json"
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    form = {name: value for name, [value] in parse_qs(call.body.decode()).items()}
    assert json.loads(form.pop("data")) == {"text": "在路上 & 50%"}
    assert form == {
        "access_token": "t",
        "type": "text",
        "receiver_id": FAN,
        "save_sender_box": "1",
    }
    long = channel.compose(outgoing(text="字" * 400), KEYS)
    assert len(json.loads(parse_qs(long.body.decode())["data"][0])["text"]) == 299


def test_what_it_cannot_say_is_unsupported() -> None:
    for means in ("template", "token", "response"):
        with pytest.raises(Unsupported):
            channel.compose(outgoing(means=means), KEYS)


@pytest.mark.parametrize(
    ("status", "told", "verdict"),
    [
        (200, {"result": True}, "sent"),
        (400, {"error_code": 26403, "error": "replied"}, "permanent"),
        (400, {"error_code": "26403"}, "permanent"),
        (403, {"error_code": 10023}, "retry"),
        (400, {"error_code": 21327}, "reauthorise"),
        (403, {"error_code": 10014}, "stop"),
        (500, {"error_code": 10001}, "unknown"),
        (400, {"error_code": 77777}, "permanent"),
        (502, {}, "unknown"),
    ],
)
def test_the_error_code_decides(status: int, told: dict[str, Any], verdict: str) -> None:
    response = Response(status, {}, json.dumps(told).encode())
    assert channel.outcome(response).verdict == verdict
