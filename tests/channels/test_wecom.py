"""What is particular to WeCom; its seal is WeChat's, and tested there."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels._query_signed import sorted_sha1, stamped
from chalicelib.channels._wechat_seal import seal, unseal
from chalicelib.channels._xml import read_xml
from chalicelib.channels.wecom import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import (
    InvalidSignature,
    MalformedPayload,
    Misconfigured,
    Unsupported,
    WrongVerifyToken,
)
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response
from chalicelib.source import Request
from tests.samples import EVENTS, NOW, SHARED

CORP, LINA, ANNA = "ww8a1f2e3d4c5b6a79", "LiNa", "woPARLEY0000AnnaWang8vK2mQxYt6Z"
TOKEN, AES = "parleylocalwecom", "26MsSxdmWnQ9TfPkPsSJiiVAlVAMoS46JLj3T+XLG8Y"
ENTRY = {"token": TOKEN, "encoding_aes_key": AES, "corpid": CORP}
KEYS = Credentials("wecom/default", {**ENTRY, "access_token": "t", "agentid": "1000002"})
MEMBER = p.Identity(channel="wecom", scope=CORP, subject=LINA)
CUSTOMER = p.Identity(channel="wecom", scope=CORP, subject=ANNA)
ACCOUNTS = Accounts("wecom", {"default": ENTRY})


def body_of(name: str) -> bytes:
    return (EVENTS / "wecom" / f"{name}.xml").read_bytes()


def sealed(name: str, key: str = f"{TOKEN} {AES} {CORP}") -> Request:
    return channel.signed(Request(body=body_of(name), now=NOW), key)


def heard(name: str) -> list[Event]:
    return channel.receive(sealed(name), ACCOUNTS)


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def test_a_members_text_is_a_message_without_a_window() -> None:
    event = only("message_text")
    assert event.subject == f"identity/wecom/{CORP}/{LINA}"
    assert event.data.text == "客户 A-1001 催单，请尽快"
    assert event.data.conversation_id == f"wecom/{CORP}/{LINA}"
    assert event.data.window_until is None


def test_the_urls_account_tells_one_application_from_another() -> None:
    two = Accounts("wecom", {"sales": ENTRY, "desk": {**ENTRY, "token": "other"}})
    [event] = channel.receive(replace(sealed("message_text"), account="sales"), two)
    data: Any = event.data
    assert (data.account, data.author.identity) == ("sales", MEMBER)
    with pytest.raises(InvalidSignature):
        channel.receive(replace(sealed("message_text"), account="desk"), two)


def test_a_new_customer_may_be_welcomed_once_within_twenty_seconds() -> None:
    opened, referred = heard("customer_added")
    data: Any = opened.data
    assert (opened.type, data.identity) == ("conversation.opened", CUSTOMER)
    assert data.conversation_id == f"wecom/{CORP}/external:{ANNA}"
    assert data.reply_token.token == "WELCOME-1"
    assert data.reply_token.expires_at == NOW + timedelta(seconds=20)
    came: Any = referred.data
    assert (came.ref, came.source, came.medium) == ("qr-box-42", "contact_way", "qr")


def test_who_is_greeted_already_brings_no_code() -> None:
    opened, referred = heard("customer_added_before")
    assert opened.data.reply_token is None  # type: ignore[attr-defined]
    assert referred.data.medium == "link"  # type: ignore[attr-defined]


def test_two_customers_of_one_second_are_two() -> None:
    ids = {heard(n)[0].id for n in ("customer_added", "customer_added_half", "customer_left")}
    assert len(ids) == 3


def test_a_customer_who_removes_our_member_wants_nothing_more() -> None:
    event = only("customer_left")
    assert event.type == "consent.withdrawn"
    assert (event.data.identity, event.data.source) == (CUSTOMER, "del_follow_user")
    agreed = only("customer_archive_agreed")
    assert (agreed.type, agreed.data.purpose) == ("consent.granted", "chat_archive")


def test_a_card_button_is_a_postback() -> None:
    assert only("event_template_card").data.payload == "resolve"
    assert only("event_scancode_waitmsg").data.title == "CODE_128,SF1234567890"


def test_what_is_only_a_nudge_says_so() -> None:
    assert "to be fetched" in only("kf_nudge").data.reason


# -- who may speak -----------------------------------------------------------------------------


def test_no_plain_body_is_ever_taken() -> None:
    request = Request(body=body_of("message_text"), now=NOW)
    words = stamped(request)
    signed = replace(request, query={**words, "signature": sorted_sha1(TOKEN, *words.values())})
    for entry in (ENTRY, {"token": TOKEN}, {**ENTRY, "encryption": "compatible"}):
        with pytest.raises(InvalidSignature):
            channel.receive(signed, Accounts("wecom", {"default": entry}))


def test_a_body_sealed_for_another_company_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        channel.receive(sealed("message_text", f"{TOKEN} {AES} ww0000000000000000"), ACCOUNTS)


@pytest.mark.parametrize("missing", ["token", "encoding_aes_key", "corpid"])
def test_a_secret_that_is_missing_is_our_failure(missing: str) -> None:
    entry = {name: value for name, value in ENTRY.items() if name != missing}
    with pytest.raises(Misconfigured):
        channel.receive(sealed("message_text"), Accounts("wecom", {"default": entry}))


def greeting(word: bytes = b"5927782489442352469", token: str = TOKEN) -> Request:
    request = Request(method="GET", now=NOW)
    words, echo = stamped(request), seal(word, CORP, AES)
    signature = sorted_sha1(token, *words.values(), echo)
    return replace(request, query={**words, "echostr": echo, "msg_signature": signature})


def test_the_handshake_tells_what_is_sealed_in_it() -> None:
    assert channel.handshake(greeting(), ACCOUNTS).body == "5927782489442352469"
    spaced = {**greeting().query}
    spaced["echostr"] = spaced["echostr"].replace("+", " ")  # a query decoder's doing
    assert channel.handshake(replace(greeting(), query=spaced), ACCOUNTS).status == 200


def test_the_handshake_refuses() -> None:
    late = replace(greeting(), now=NOW + timedelta(minutes=6))
    for request in (greeting(token="another"), late):
        with pytest.raises(WrongVerifyToken):
            channel.handshake(request, ACCOUNTS)
    with pytest.raises(MalformedPayload):
        channel.handshake(replace(greeting(), query={}), ACCOUNTS)


# -- what we say -------------------------------------------------------------------------------


def outgoing(**more: Any) -> Outgoing:
    return replace(Outgoing("key-1", MEMBER, CORP, f"wecom/{CORP}/{LINA}", "知道了"), **more)


def test_a_member_is_told_by_the_application() -> None:
    call = channel.compose(outgoing(), KEYS)
    assert call.url == "https://qyapi.weixin.qq.com/cgi-bin/message/send?access_token=t"
    assert json.loads(call.body) == {
        "touser": LINA,
        "msgtype": "text",
        "agentid": 1000002,
        "text": {"content": "知道了"},
    }


def test_a_customer_is_welcomed_with_the_code_and_reached_by_nothing_else() -> None:
    thread = f"wecom/{CORP}/external:{ANNA}"
    welcome = outgoing(to=CUSTOMER, conversation_id=thread, means="token", token="W-1")
    call = channel.compose(welcome, KEYS)
    assert call.url.split("?")[0].endswith("/externalcontact/send_welcome_msg")
    assert json.loads(call.body) == {"welcome_code": "W-1", "text": {"content": "知道了"}}
    with pytest.raises(Unsupported):
        channel.compose(replace(welcome, means="free", token=None), KEYS)
    with pytest.raises(Unsupported):
        channel.compose(outgoing(means="template"), KEYS)


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"errcode": 0, "msgid": "M1"}, "sent"),
        ({"errcode": 0, "invaliduser": "lina"}, "permanent"),
        ({"errcode": -1}, "retry"),
        ({"errcode": 45009}, "retry"),
        ({"errcode": 42001}, "reauthorise"),
        ({"errcode": 41050}, "permanent"),
        ({"errcode": 60020}, "stop"),
    ],
)
def test_the_errcode_decides(told: dict[str, Any], verdict: str) -> None:
    assert channel.outcome(Response(200, {}, json.dumps(told).encode())).verdict == verdict


def test_the_answer_in_the_response_is_sealed() -> None:
    told = channel.answer_with("知道了", sealed("message_text"), KEYS)
    envelope = read_xml(told.body.encode())
    content, receiver = unseal(envelope["Encrypt"], AES)
    assert receiver == CORP and read_xml(content)["ToUserName"] == LINA


# -- strangers ---------------------------------------------------------------------------------


def vectors() -> Iterator[dict[str, Any]]:
    path = SHARED / "samples" / "wechat" / "vectors.json"
    yield from json.loads(path.read_text()) if path.is_file() else ()


WECOM = [v for v in vectors() if v["mode"] == "wecom_get" or "AgentID" in v.get("body", "")]


@pytest.mark.skipif(not SHARED.is_dir(), reason="PARLEY_SHARED is not here")
@pytest.mark.parametrize("vector", WECOM, ids=lambda v: v["name"])
def test_published_vectors_agree(vector: dict[str, Any]) -> None:
    entry = {
        "token": vector["token"],
        "encoding_aes_key": vector["encoding_aes_key"],
        "corpid": vector["receive_id"],
    }
    now = datetime.fromtimestamp(int(vector["query"]["timestamp"]), UTC)
    known = Accounts("wecom", {"default": entry})
    request = Request(query=vector["query"], now=now)
    if vector["mode"] == "wecom_get":
        told = channel.handshake(replace(request, method="GET"), known)
        assert told.body == vector["expected_response"]
    else:
        [event] = channel.receive(replace(request, body=vector["body"].encode()), known)
        assert event.type == "message.received"
        assert f"<Content><![CDATA[{event.data.text}]]>" in vector["plaintext"]  # type: ignore[attr-defined]


@pytest.mark.stranger
def test_wechatpy_seals_what_we_open_and_opens_what_we_seal() -> None:
    crypto = pytest.importorskip("wechatpy.enterprise.crypto").WeChatCrypto(TOKEN, AES, CORP)
    stamp = str(int(NOW.timestamp()))
    body = crypto.encrypt_message(body_of("message_text").decode(), "n-1", stamp)
    signature = read_xml(body.encode())["MsgSignature"]
    query = {"timestamp": stamp, "nonce": "n-1", "msg_signature": signature}
    request = Request(body=body.encode(), query=query, now=NOW)
    assert channel.receive(request, ACCOUNTS) == heard("message_text")
    told = channel.answer_with("知道了", request, KEYS).body
    answer = read_xml(told.encode())
    words = (answer["MsgSignature"], answer["TimeStamp"], answer["Nonce"])
    assert "知道了" in crypto.decrypt_message(told, *words)
    asked = greeting().query
    names = ("msg_signature", "timestamp", "nonce", "echostr")
    assert crypto.check_signature(*(asked[name] for name in names)) == "5927782489442352469"


@pytest.mark.stranger
@pytest.mark.parametrize(
    "name", ["message_text", "message_image", "event_click", "event_subscribe"]
)
def test_wechatpy_reads_our_samples_as_we_do(name: str) -> None:
    theirs = pytest.importorskip("wechatpy.enterprise").parse_message(body_of(name).decode())
    event = only(name)
    assert (theirs.source, theirs.target) == (LINA, event.data.account)
    assert str(theirs.agent) == "1000002"
