"""What is particular to WeChat."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES as AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from chalicelib import payloads as p
from chalicelib.channels._query_signed import sorted_sha1, stamped
from chalicelib.channels._wechat_seal import seal, unseal
from chalicelib.channels._xml import read_xml
from chalicelib.channels.wechat import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import (
    InvalidSignature,
    MalformedPayload,
    Misconfigured,
    UnknownSource,
    Unsupported,
    WrongMethod,
    WrongVerifyToken,
)
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response, Template
from chalicelib.source import Request
from tests import samples
from tests.samples import EVENTS, NOW, SHARED

BRAND, ANNA, APP = "gh_7c1d5e90ab42", "oP4rl-0Anna8vK2mQxYt6ZsLw1Bc", "wx5fa1c0ffee5eed01"
TOKEN, AES = "parleylocalwechat", "algcfUE6FGEFaeLHUwxiqXz903d0/WixIPwJHThYfww"
ANNA_HERE = p.Identity(channel="wechat", scope=APP, subject=ANNA)
THREAD = f"wechat/{BRAND}/{ANNA}"
SAFE = {"token": TOKEN, "encoding_aes_key": AES, "appid": APP}
KEYS = Credentials("wechat/default", {**SAFE, "access_token": "t/1", "template_order_paid": "T-1"})
PLAIN = Credentials("wechat/default", {"token": TOKEN})
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="PARLEY_SHARED is not here")


def body_of(name: str) -> bytes:
    return next(iter(EVENTS.glob(f"wechat/{name}.*"))).read_bytes()


def sealed(body: bytes, key: str = f"{TOKEN} {AES} {APP}", **more: Any) -> Request:
    return channel.signed(Request(**{"body": body, "now": NOW, **more}), key)


def plain(body: bytes, token: str = TOKEN, **more: Any) -> Request:
    request = Request(**{"body": body, "now": NOW, **more})
    words = stamped(request)
    return replace(request, query={**words, "signature": sorted_sha1(token, *words.values())})


def accounts(**entry: Any) -> Accounts:
    return Accounts("wechat", {"default": entry})


def heard(name: str) -> list[Event]:
    return channel.receive(sealed(body_of(name)), accounts(**SAFE))


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def test_a_text_is_said_in_our_words() -> None:
    event = only("message_text")
    assert event.type == "message.received"
    assert event.subject == f"identity/wechat/{APP}/{ANNA}"
    assert event.time == datetime(2026, 11, 23, 11, 59, 50, tzinfo=UTC)
    assert event.data.text == "我的订单 A-1001 到哪里了？"
    assert event.data.author.identity == ANNA_HERE
    assert event.data.conversation_id == THREAD
    assert event.data.account == BRAND
    assert event.data.message_id == "24812345678900001"
    assert event.data.window_until == event.time + timedelta(hours=48)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("message_text_json", [p.Text(text="在吗？")]),
        ("message_text_emoji", [p.Text(text="谢谢 [微笑] 😀 a < b & c")]),
        ("message_menu_choice", [p.Text(text="不满意"), p.Postback(payload="102", title="不满意")]),
        ("message_voice", [p.Media(media="audio", media_id="m-voice-1", mime="audio/amr")]),
        (
            "message_voice_recognised",
            [
                p.Media(media="audio", media_id="m-voice-2", mime="audio/speex"),
                p.Text(text="我要退货"),
            ],
        ),
        ("message_video", [p.Media(media="video", media_id="m-video-1")]),
        ("message_shortvideo", [p.Media(media="video", media_id="m-video-2")]),
        (
            "message_location",
            [p.Location(latitude=31.230416, longitude=121.473701, name="上海市黄浦区人民大道")],
        ),
        (
            "message_link",
            [p.Media(media="share", url="https://video.example/v/77", name="开箱视频")],
        ),
        ("message_of_a_new_kind", [p.UnsupportedPart(type="miniprogrampage")]),
    ],
)
def test_every_kind_of_message_has_its_part(name: str, content: list[Any]) -> None:
    assert list(only(name).data.content) == content


def test_a_picture_needs_no_media_id() -> None:
    [part] = only("message_image_without_media").data.content
    assert (part.media, part.media_id) == ("image", None)
    assert part.url == "http://mmbiz.qpic.example/mmbiz_jpg/box/0"


def test_a_repeated_message_is_the_same_event_though_its_url_differs() -> None:
    again = sealed(body_of("message_text"), now=NOW + timedelta(seconds=5))
    [event] = channel.receive(again, accounts(**SAFE))
    assert event.id == only("message_text").id


def test_an_event_is_named_by_who_when_and_what() -> None:
    ids = {only(name).id for name in ("event_click", "event_view", "event_scan", "event_click")}
    assert len(ids) == 3
    assert only("template_sent").id != only("template_blocked").id


@pytest.mark.parametrize(
    ("name", "ref", "source", "medium"),
    [
        ("event_subscribe_qr", "box-42", "qrscene", "qr"),
        ("event_subscribe_barcode", "ean13|6901234567892", "scanbarcode", "qr"),
        (
            "event_subscribe_after_payment",
            "last_trade_no_4200002026112300001",
            "subscribe",
            "link",
        ),
    ],
)
def test_a_new_follower_says_where_they_came_from(
    name: str, ref: str, source: str, medium: str
) -> None:
    opened, referred = heard(name)
    assert (opened.type, referred.type) == ("conversation.opened", "referral.received")
    data: Any = referred.data
    assert (data.ref, data.source, data.medium) == (ref, source, medium)
    assert data.identity == ANNA_HERE


@pytest.mark.parametrize(
    ("name", "ref", "source", "medium"),
    [
        ("event_scan", "store-7", "scan", "qr"),
        ("entered_from_product", "6901234567892", "user_scan_product_enter_session", "qr"),
        ("entered_from_card", "CARD-1", "user_enter_session_from_card", "link"),
    ],
)
def test_a_follower_who_scans_comes_in_again(name: str, ref: str, source: str, medium: str) -> None:
    data = only(name).data
    assert (data.ref, data.source, data.medium) == (ref, source, medium)


@pytest.mark.parametrize(
    ("name", "payload", "title"),
    [
        ("event_click", "WHERE_IS_MY_ORDER", None),
        ("event_click_spaced", "HUMAN", None),
        ("event_view", "https://shop.example/orders", None),
        ("event_scancode_waitmsg", "RETURN_LABEL", "CODE_128,SF1234567890"),
        ("event_location_select", "MEET_HERE", None),
    ],
)
def test_a_menu_entry_is_a_postback_and_opens_no_window(
    name: str, payload: str, title: str | None
) -> None:
    event = only(name)
    assert event.type == "postback.received"
    assert (event.data.payload, event.data.title) == (payload, title)
    assert event.data.window_until is None


def test_who_unfollows_wants_nothing_more() -> None:
    event = only("event_unsubscribe")
    assert event.type == "consent.withdrawn"
    assert (event.data.identity, event.data.purpose) == (ANNA_HERE, "all")


def test_the_end_of_a_template_is_a_status_of_what_was_sent() -> None:
    sent, blocked, failed = (only(f"template_{name}") for name in ("sent", "blocked", "failed"))
    assert (sent.type, sent.data.message_id) == ("message.delivered", "3100200300400")
    assert sent.data.identity == ANNA_HERE and sent.data.error is None
    assert (blocked.type, blocked.data.error.code) == ("message.failed", "user block")
    assert blocked.data.error.retryable is False
    assert failed.data.error.retryable is True


def test_a_mass_send_speaks_of_no_customer() -> None:
    sent, refused = only("mass_sent"), only("mass_refused")
    assert (sent.type, sent.subject) == ("message.delivered", f"channel/wechat/{BRAND}")
    assert (refused.type, refused.data.error.code) == ("message.failed", "20004")


def test_one_report_may_speak_of_several_sends() -> None:
    well, ill = heard("subscribe_msg_sent_several")
    assert (well.type, ill.type) == ("message.delivered", "message.failed")
    assert ill.data.error.code.startswith("43101")  # type: ignore[attr-defined]
    assert only("subscribe_msg_sent").data.message_id == "1700827132819554301"


def test_a_template_refused_is_no_farewell() -> None:
    granted, withdrawn = heard("subscribe_msg_popup")
    assert (granted.type, withdrawn.type) == ("consent.granted", "consent.withdrawn")
    data: Any = withdrawn.data
    assert (data.purpose, data.scope) == ("template:TPL-2", "purpose")


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("kf_create_session", ("bot", "human")),
        ("kf_switch_session", ("human", "human")),
        ("kf_close_session", ("human", "bot")),
    ],
)
def test_the_platforms_own_desk_hands_over(name: str, way: tuple[str, str]) -> None:
    data = only(name).data
    assert (data.source, data.to) == way


def test_what_is_bought_and_paid_in_the_account_is_heard() -> None:
    paid, changed, till = (only(n) for n in ("shop_order_paid", "shop_order_shipped", "card_paid"))
    assert (paid.type, changed.type) == ("order.paid", "order.changed")
    assert (paid.data.shop, paid.data.order_id) == (f"wechat:{BRAND}", "WX-7001")
    assert (str(till.data.amount), till.data.currency) == ("128.00", "CNY")
    assert till.data.assurance == "claimed"


def test_who_closes_their_account_is_forgotten_whoever_posts_it() -> None:
    gone, less = only("authorization_cancelled"), only("authorization_revoked")
    assert (gone.type, gone.data.identity) == ("customer.erasure_requested", ANNA_HERE)
    assert (less.data.identity, less.data.purpose) == (ANNA_HERE, "profile:201")


# -- who may speak -----------------------------------------------------------------------------


def test_a_plain_account_takes_plain_bodies() -> None:
    [event] = channel.receive(plain(body_of("message_text")), accounts(token=TOKEN))
    assert event.subject == f"identity/wechat/{BRAND}/{ANNA}"
    [same] = channel.receive(plain(body_of("message_text")), accounts(token=TOKEN, appid=APP))
    assert same.subject == only("message_text").subject  # the same customer before the switch


def test_a_sealed_account_takes_no_plain_body_but_while_it_is_switched() -> None:
    request = plain(body_of("message_text"))
    with pytest.raises(InvalidSignature):
        channel.receive(request, accounts(**SAFE))
    assert channel.receive(request, accounts(**SAFE, encryption="compatible"))


def test_a_plain_signature_vouches_for_no_sealed_body() -> None:
    request = sealed(body_of("message_text"))
    other = {**request.query, "msg_signature": "0" * 40}
    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, query=other), accounts(**SAFE, encryption="compatible"))


@pytest.mark.parametrize("minutes", [-6, 6])
@pytest.mark.parametrize("make", [sealed, plain])
def test_a_stale_or_early_delivery_is_refused(minutes: int, make: Callable[..., Request]) -> None:
    request = replace(make(body_of("message_text")), now=NOW + timedelta(minutes=minutes))
    with pytest.raises(InvalidSignature):
        channel.receive(request, accounts(**SAFE, encryption="compatible"))


@pytest.mark.parametrize("value", ["", "0" * 40, "é", "\udcff", "a,b"])
@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_forged_query_is_refused_whatever_it_looks_like(name: str, value: str) -> None:
    request = sealed(body_of("message_text"))
    forged = replace(request, query={**request.query, name: value})
    with pytest.raises(InvalidSignature):
        channel.receive(forged, accounts(**SAFE))


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><Encrypt>AAAA</Encrypt></xml>",
        b"<xml><Encrypt></Encrypt></xml>",
        b"<xml><Encrypt><a/></Encrypt></xml>",
        b"<xml>",
        b'{"Encrypt": 1e5}',
        b"<xml><Encrypt>" + b"A" * 300_000 + b"</Encrypt></xml>",
    ],
)
def test_another_body_under_a_good_url_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidSignature):
        channel.receive(replace(sealed(body_of("message_text")), body=body), accounts(**SAFE))


def test_a_body_sealed_for_another_app_is_refused() -> None:
    request = sealed(body_of("message_text"), f"{TOKEN} {AES} wx0000000000000000")
    with pytest.raises(InvalidSignature):
        channel.receive(request, accounts(**SAFE))


@pytest.mark.parametrize("ciphertext", ["not base64!", "", "QUJD", "é"])
def test_what_the_key_did_not_seal_is_refused_even_when_signed(ciphertext: str) -> None:
    request = sealed(b"x")
    words = (request.query["timestamp"], request.query["nonce"])
    query = {**request.query, "msg_signature": sorted_sha1(TOKEN, *words, ciphertext)}
    body = f"<xml><Encrypt>{ciphertext}</Encrypt></xml>".encode()
    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, query=query, body=body), accounts(**SAFE))


@pytest.mark.parametrize("missing", ["token", "encoding_aes_key", "appid"])
def test_a_secret_that_is_missing_is_our_failure(missing: str) -> None:
    entry = {name: value for name, value in SAFE.items() if name != missing}
    with pytest.raises(Misconfigured):
        channel.receive(sealed(body_of("message_text")), accounts(**entry))


@pytest.mark.parametrize("key", ["short", "é" * 43, "A" * 42, "A" * 39])
def test_a_key_that_is_none_is_our_failure(key: str) -> None:
    with pytest.raises(Misconfigured):
        channel.receive(sealed(b"x"), accounts(**{**SAFE, "encoding_aes_key": key}))


def test_every_live_secret_verifies_during_a_rotation() -> None:
    other = AES[:-4] + "AAAA"
    entry = {**SAFE, "token": ["new", TOKEN], "encoding_aes_key": [other, AES]}
    for key in (f"{TOKEN} {AES} {APP}", f"new {other} {APP}"):
        assert channel.receive(sealed(body_of("message_text"), key), accounts(**entry))


def test_accounts_do_not_speak_for_each_other() -> None:
    both = Accounts("wechat", {"default": SAFE, BRAND: {**SAFE, "token": "own"}})
    request = sealed(body_of("message_text"))
    with pytest.raises(InvalidSignature):
        channel.receive(request, both)
    with pytest.raises(UnknownSource):
        channel.receive(replace(request, account="nobody"), both)
    own = sealed(body_of("message_text"), f"own {AES} {APP}")
    assert channel.receive(own, both) and channel.receive(replace(own, account=BRAND), both)


def test_nonsense_inside_a_good_seal_is_malformed() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><xml><ToUserName>&a;</ToUserName></xml>'
    for body in (b"<xml>", bomb, b"<a>" * 30 + b"</a>" * 30, b"words"):
        with pytest.raises(MalformedPayload):
            channel.receive(sealed(body), accounts(**SAFE))


# -- the handshake -----------------------------------------------------------------------------


def greeting(token: str = TOKEN, **more: str) -> Request:
    request = plain(b"", token, method="GET")
    return replace(request, query={**request.query, "echostr": "2947350132", **more})


def test_the_handshake_echoes_to_who_knows_the_token() -> None:
    told = channel.handshake(greeting(), accounts(**SAFE))
    assert (told.body, told.status) == ("2947350132", 200)
    assert told.content_type.startswith("text/plain")


def test_the_handshake_refuses() -> None:
    with pytest.raises(WrongVerifyToken):
        channel.handshake(greeting("another"), accounts(**SAFE))
    with pytest.raises(WrongVerifyToken):
        late = replace(greeting(), now=NOW + timedelta(hours=1))
        channel.handshake(late, accounts(**SAFE))
    for echo in ("", "<script>", "x" * 600):
        with pytest.raises(MalformedPayload):
            channel.handshake(greeting(echostr=echo), accounts(**SAFE))
    with pytest.raises(WrongMethod):
        channel.handshake(replace(greeting(), method="OPTIONS"), accounts(**SAFE))
    with pytest.raises(Misconfigured):
        channel.handshake(greeting(), accounts())


# -- what we say -------------------------------------------------------------------------------


def test_an_accepted_delivery_is_told_success() -> None:
    assert channel.answer(sealed(b"x")).body == "success"


def test_the_answer_in_a_plain_response_is_plain() -> None:
    request = plain(body_of("message_text"))
    told = channel.answer_with("在路上 ]]> <b>", request, PLAIN)
    assert told.content_type.startswith("application/xml")
    assert read_xml(told.body.encode()) == {
        "ToUserName": ANNA,
        "FromUserName": BRAND,
        "CreateTime": str(int(NOW.timestamp())),
        "MsgType": "text",
        "Content": "在路上 ]]> <b>",
    }


def test_the_answer_in_a_sealed_response_is_sealed_with_what_sealed_the_question() -> None:
    request = sealed(body_of("message_text"))
    other = AES[:-4] + "AAAA"
    entry = {**SAFE, "token": ["new", TOKEN], "encoding_aes_key": [other, AES]}
    channel.receive(request, accounts(**entry))
    told = channel.answer_with("On its way", request, Credentials("another", {}))
    envelope = read_xml(told.body.encode())
    assert envelope["Nonce"] == request.query["nonce"]
    words = (TOKEN, envelope["TimeStamp"], envelope["Nonce"], envelope["Encrypt"])
    assert envelope["MsgSignature"] == sorted_sha1(*words)
    content, receiver = unseal(envelope["Encrypt"], AES)
    assert receiver == APP and read_xml(content)["Content"] == "On its way"
    assert channel.answer_with("On its way", request, KEYS) == told


def test_nobody_elses_question_is_answered() -> None:
    with pytest.raises(InvalidSignature):
        channel.answer_with("x", plain(b"<xml/>", "another"), PLAIN)


def outgoing(**more: Any) -> Outgoing:
    return replace(Outgoing("key-1", ANNA_HERE, BRAND, THREAD, "在路上 🚚"), **more)


def test_a_customer_service_message_is_raw_utf_8() -> None:
    call = channel.compose(outgoing(), KEYS)
    url = "https://api.weixin.qq.com/cgi-bin/message/custom/send?access_token=t%2F1"
    assert (call.method, call.url) == ("POST", url)
    assert "在路上 🚚".encode() in call.body
    assert json.loads(call.body) == {
        "touser": ANNA,
        "msgtype": "text",
        "text": {"content": "在路上 🚚"},
    }


def test_a_long_text_ends_with_a_whole_character() -> None:
    call = channel.compose(outgoing(text="🚚" * 1000), KEYS)
    said = json.loads(call.body)["text"]["content"]
    assert said == "🚚" * 512


@pytest.mark.parametrize(
    ("row", "data"),
    [
        ("T-9", {"keyword1": {"value": "A-1"}, "keyword2": {"value": "SF1"}}),
        ("T-9 thing1 no2", {"thing1": {"value": "A-1"}, "no2": {"value": "SF1"}}),
    ],
)
def test_a_template_has_the_accounts_own_id_and_fields(row: str, data: dict[str, Any]) -> None:
    keys = Credentials("d", {"access_token": "t", "template_order_shipped": row})
    template = Template("order_shipped", ("A-1", "SF1"), "zh")
    call = channel.compose(outgoing(means="template", template=template), keys)
    assert call.url.startswith("https://api.weixin.qq.com/cgi-bin/message/template/send?")
    assert json.loads(call.body) == {
        "touser": ANNA,
        "template_id": "T-9",
        "data": data,
        "client_msg_id": "key-1",
    }


def test_what_it_cannot_say_is_unsupported() -> None:
    for template in (Template("order_lost", ()), Template("order_shipped", ("one",))):
        keys = Credentials("d", {"access_token": "t", "template_order_shipped": "T a b"})
        with pytest.raises(Unsupported):
            channel.compose(outgoing(means="template", template=template), keys)
    with pytest.raises(Unsupported):
        channel.compose(outgoing(means="token", token="x"), KEYS)
    with pytest.raises(Misconfigured):
        channel.compose(outgoing(), Credentials("d", {}))


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (-1, "retry"), (45011, "retry"), (40001, "reauthorise"), (42001, "reauthorise"),
        (45015, "template"), (45047, "template"), (43004, "permanent"), (48002, "permanent"),
        (48001, "stop"), (40164, "stop"), (45009, "stop"), (99999, "permanent"),
    ],
)  # fmt: skip
def test_the_errcode_decides_whatever_the_status(code: int, verdict: str) -> None:
    body = json.dumps({"errcode": code, "errmsg": "hint: [x]"}).encode()
    outcome = channel.outcome(Response(200, {}, body))
    assert (outcome.verdict, outcome.code) == (verdict, str(code))


def test_what_was_sent_is_named_where_the_platform_names_it() -> None:
    told = b'{"errcode":0,"errmsg":"ok","msgid":200228332}'
    assert channel.outcome(Response(200, {}, told)).message_id == "200228332"
    assert channel.outcome(Response(200, {}, b'{"errcode":0}')).message_id is None
    assert channel.outcome(Response(502, {}, b"<html>")).verdict == "unknown"


# -- strangers ---------------------------------------------------------------------------------


def vectors() -> Iterator[dict[str, Any]]:
    path = SHARED / "samples" / "wechat" / "vectors.json"
    yield from json.loads(path.read_text()) if path.is_file() else ()


@needs_shared
@pytest.mark.parametrize("vector", [*vectors()], ids=lambda v: v["name"])
def test_published_vectors_agree(vector: dict[str, Any]) -> None:
    if vector["mode"] == "aes_only":
        content, receiver = unseal(vector["ciphertext"], vector["encoding_aes_key"])
        assert (content.decode(), receiver) == (vector["plaintext"], vector["receive_id"])
        return
    query = vector["query"]
    now = datetime.fromtimestamp(int(query["timestamp"]), UTC)
    entry = {
        "token": vector["token"],
        "encoding_aes_key": vector.get("encoding_aes_key", ""),
        "appid": vector.get("receive_id", ""),
    }
    if vector["mode"] != "safe":
        return
    request = Request(body=vector["body"].encode(), query=query, now=now)
    opened = channel.opened(request, Credentials("d", entry))
    assert opened and opened.body.decode() == vector["plaintext"]


@needs_shared
def test_the_published_plain_signature_is_greeted() -> None:
    [vector] = [v for v in vectors() if v["mode"] == "plain"]
    now = datetime.fromtimestamp(int(vector["query"]["timestamp"]), UTC)
    request = Request(method="GET", now=now, query={**vector["query"], "echostr": "1"})
    assert channel.handshake(request, accounts(token=vector["token"])).body == "1"


@pytest.mark.stranger
def test_wechatpy_seals_what_we_open_and_opens_what_we_seal() -> None:
    crypto = pytest.importorskip("wechatpy.crypto").WeChatCrypto(TOKEN, AES, APP)
    stamp = str(int(NOW.timestamp()))
    body = crypto.encrypt_message(body_of("message_text").decode(), "n-1", stamp)
    outer = read_xml(body.encode())
    query = {"timestamp": stamp, "nonce": "n-1", "msg_signature": outer["MsgSignature"]}
    request = Request(body=body.encode(), query=query, now=NOW)
    [event] = channel.receive(request, accounts(**SAFE))
    assert event == only("message_text")
    told = channel.answer_with("在路上", request, KEYS).body
    answer = read_xml(told.encode())
    words = (answer["MsgSignature"], answer["TimeStamp"], answer["Nonce"])
    assert "在路上" in crypto.decrypt_message(told, *words)


@pytest.mark.stranger
def test_wechatpy_signs_what_we_greet() -> None:
    check = pytest.importorskip("wechatpy.utils").check_signature
    query = greeting().query
    check(TOKEN, query["signature"], query["timestamp"], query["nonce"])


@pytest.mark.stranger
@pytest.mark.parametrize("path", sorted(EVENTS.glob("wechat/message_*.xml")), ids=lambda p: p.stem)
def test_wechatpy_reads_our_samples_as_we_do(path: Path) -> None:
    theirs = pytest.importorskip("wechatpy").parse_message(path.read_text())
    [event] = heard(path.stem)
    assert str(theirs.id) == event.data.message_id  # type: ignore[attr-defined]
    assert (theirs.source, theirs.target) == (ANNA, event.data.account)  # type: ignore[attr-defined]
    assert theirs.create_time.timestamp() == event.time.timestamp()


@pytest.mark.stranger
def test_wechatpy_says_what_we_say() -> None:
    reply = pytest.importorskip("wechatpy.replies").TextReply(
        source=BRAND, target=ANNA, content="在路上"
    )
    told = channel.answer_with("在路上", plain(body_of("message_text")), PLAIN)
    ours, theirs = read_xml(told.body.encode()), read_xml(reply.render().encode())
    assert {**ours, "CreateTime": ""} == {**theirs, "CreateTime": ""}


def test_sealing_is_repeatable_and_fills_whole_blocks() -> None:
    for size in range(70):
        content = b"x" * size
        assert unseal(seal(content, APP, AES), AES) == (content, APP)
    assert seal(b"x", APP, AES) == seal(b"x", APP, AES) != seal(b"y", APP, AES)


def test_what_says_it_is_longer_than_it_is_was_not_sealed() -> None:
    key = b64decode(AES + "=")
    told = b"s" * 16 + (99).to_bytes(4) + b"x" * 11 + b"\x01"
    encryptor = Cipher(AES256(key), CBC(key[:16])).encryptor()
    with pytest.raises(ValueError, match="not whole"):
        unseal(b64encode(encryptor.update(told)).decode(), AES)


def test_a_name_that_repeats_is_a_list() -> None:
    assert read_xml(b"<x><a>1</a><b/><a>2</a><a> 3 </a></x>") == {"a": ["1", "2", "3"], "b": ""}


def test_the_samples_of_the_local_stage_are_sealed_for_it() -> None:
    entry = samples.secrets("wechat").of("default")
    names = ("token", "encoding_aes_key", "appid")
    assert entry.one("replay").split() == [entry.one(name) for name in names]
