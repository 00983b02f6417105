"""What is particular to KakaoTalk."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels._kakao_said import is_kakaos
from chalicelib.channels.kakao import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, Misconfigured, UnknownSource, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response, Template
from chalicelib.source import Request
from tests import samples
from tests.samples import EVENTS, NOW

BOT = "5fd0c1e2a9b84c7d6e5f4a3b"
USER = "c4b1e0d9a8f7e6d5c4b3a2918f7e6d5c4b3a29180f1e2d3c4b5a69788796a5b4c3"
ENTRY = {"skill_secret": "skill", "admin_key": "admin"}
ACCOUNTS = Accounts("kakao", {"default": ENTRY})
WHO = p.Identity(channel="kakao", scope=BOT, subject=USER)
OF_APP = p.Identity(channel="kakao", scope="app", subject="3120045678")
CALLBACK = "https://bot-api.kakao.com/v1/callback/one-shot-1"
KEYS = Credentials(
    "kakao/default",
    {
        "rest_api_key": "rest",
        "event_name": "parley_message",
        "bot_id": BOT,
        "alimtalk_dealer": "nhn",
        "alimtalk_app_key": "app/1",
        "alimtalk_secret_key": "secret",
        "alimtalk_sender_key": "sender",
        "template_order_shipped": "ORDER_SHIPPED order_number tracking",
    },
)


def posted(name: str, **more: Any) -> Request:
    path = EVENTS / "kakao" / f"{name}.json"
    beside = path.with_suffix(".headers")
    given = json.loads(beside.read_text()) if beside.is_file() else {}
    headers = {key.lower(): value for key, value in given.items()}
    request = Request(**{"body": path.read_bytes(), "headers": headers, "now": NOW, **more})
    return channel.signed(request, "skill admin")


def heard(name: str) -> list[Event]:
    return channel.receive(posted(name), ACCOUNTS)


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def test_an_utterance_is_said_in_our_words() -> None:
    event = only("skill_text")
    assert event.type == "message.received"
    assert event.subject == f"identity/kakao/{BOT}/{USER}"
    assert (event.time, event.timesuspect) == (NOW, True)  # a skill is told no time
    assert event.data.text == "주문 A-1001 언제 와요?"
    assert event.data.author.identity.aliases == ("Xk2PaRLey0",)
    assert event.data.conversation_id == f"kakao/{BOT}/{USER}"
    assert (event.data.lang, event.data.reply_token, event.data.synthetic) == ("ko", None, None)
    assert only("skill_old_lang").data.lang == "ko"


def test_who_has_logged_in_is_known_to_the_app_too() -> None:
    message, linked = heard("skill_complaint_logged_in")
    said: Any = message.data
    data: Any = linked.data
    assert said.author.identity.aliases == ("Xk2PaRLey0", "3120045678")
    assert (linked.type, data.b, data.evidence) == ("identity.linked", OF_APP, "appUserId")
    assert data.a.subject == USER


def test_the_callback_is_a_reply_token_for_a_minute() -> None:
    token = only("skill_callback").data.reply_token
    assert token == p.ReplyToken(token=CALLBACK, expires_at=NOW + timedelta(minutes=1))
    assert only("skill_callback_elsewhere").data.reply_token is None


@pytest.mark.parametrize(
    ("url", "known"),
    [
        (CALLBACK, True),
        ("https://kakao.com/x", True),
        ("http://bot-api.kakao.com/x", False),
        ("https://bot-api.kakao.com:8443/x", False),
        ("https://me@bot-api.kakao.com/x", False),
        ("https://evilkakao.com/x", False),
        ("https://bot-api.kakao.com.evil.example/x", False),
        ("https://[::1", False),
        ("https://a.kakao.com:99999/", False),
        ("", False),
    ],
)
def test_only_kakao_is_called_back(url: str, known: bool) -> None:
    assert is_kakaos(url) is known


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "skill_button",
            [
                p.Text(text="배송 조회"),
                p.Postback(payload='{"action":"track","order":"A-1001"}', title="배송 조회"),
            ],
        ),
        ("skill_image", [p.Media(media="image", url="https://talk.kakaocdn.example/broken.jpg")]),
        ("skill_video", [p.Media(media="file", url="https://talk.kakaocdn.example/unboxing.mp4")]),
        (
            "skill_secure_image",
            [
                p.Text(text="사진 보냈어요"),
                p.Media(media="image", url="https://secure.kakaocdn.example/1.jpg"),
                p.Media(media="image", url="https://secure.kakaocdn.example/2.jpg"),
            ],
        ),
    ],
)
def test_every_kind_of_message_has_its_parts(name: str, content: list[Any]) -> None:
    assert list(only(name).data.content) == content


def test_what_the_console_tries_is_synthetic() -> None:
    assert only("skill_console_test").data.synthetic is True


def test_a_request_is_named_by_its_id_else_by_its_callback_else_by_its_moment() -> None:
    ids = {only(name).id for name in ("skill_text", "skill_old_lang", "skill_callback")}
    assert len(ids) == 3
    later = posted("skill_callback", now=NOW + timedelta(minutes=1))
    assert channel.receive(later, ACCOUNTS)[0].id == only("skill_callback").id
    first, second = (posted("skill_text", headers={}, now=NOW + timedelta(s)) for s in (0, 1))
    [one], [two] = channel.receive(first, ACCOUNTS), channel.receive(second, ACCOUNTS)
    assert one.id != two.id and one.data.text == two.data.text  # type: ignore[attr-defined]


def test_who_adds_the_channel_is_welcome_and_who_blocks_it_wants_nothing_more() -> None:
    added, blocked = only("channel_added"), only("channel_blocked")
    assert (added.type, added.data.identity) == ("conversation.opened", OF_APP)
    assert added.data.conversation_id == "kakao/_ParLey/app:3120045678"
    assert added.time == datetime(2026, 11, 23, 11, 59, 50, tzinfo=UTC)
    assert (blocked.type, blocked.data.identity) == ("consent.withdrawn", OF_APP)
    assert only("channel_added_open_id").data.identity.subject == "open-9f8e7d6c"


def test_a_hook_without_its_id_is_named_by_what_it_says() -> None:
    again = posted("channel_blocked_without_resource", now=NOW + timedelta(seconds=9))
    assert channel.receive(again, ACCOUNTS)[0].id == only("channel_blocked_without_resource").id


def test_the_urls_account_says_whose_app_it_is() -> None:
    known = Accounts("kakao", {"brand-a": ENTRY})
    [event] = channel.receive(replace(posted("channel_blocked"), account="brand-a"), known)
    assert event.subject == "identity/kakao/brand-a/3120045678"


# -- who may speak -----------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "skil", "skillskill", "é", "\udcff", "KakaoAK skill"])
@pytest.mark.parametrize("name", ["skill_text", "channel_blocked"])
def test_a_wrong_secret_is_refused_whatever_it_looks_like(name: str, value: str) -> None:
    header = "x-parley-secret" if name == "skill_text" else "authorization"
    request = posted(name)
    for shown in (value, f"KakaoAK {value}"):
        with pytest.raises(InvalidSignature):
            channel.receive(replace(request, headers={header: shown}), ACCOUNTS)
    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, headers={}), ACCOUNTS)


def test_neither_secret_speaks_for_the_other() -> None:
    hook, skill = posted("channel_blocked"), posted("skill_text")
    for body, headers in ((hook.body, skill.headers), (skill.body, hook.headers)):
        request = replace(skill, body=body, headers=headers)
        assert [e.type for e in channel.receive(request, ACCOUNTS)] == ["ingress.unmapped"]


@pytest.mark.parametrize(
    ("name", "key"), [("skill_text", "skill_secret"), ("channel_blocked", "admin_key")]
)
def test_secrets_may_be_missing_rotated_or_an_accounts_own(name: str, key: str) -> None:
    request = posted(name)
    for entries in ({}, {"default": {}}, {"default": {"other": "x"}}):
        with pytest.raises(Misconfigured):
            channel.receive(request, Accounts("kakao", entries))
    both = {"default": {**ENTRY, key: ["new", ENTRY[key]]}}
    assert channel.receive(request, Accounts("kakao", both))
    with pytest.raises(UnknownSource):
        channel.receive(replace(request, account="nobody"), ACCOUNTS)
    account = {"skill_text": BOT, "channel_blocked": "_ParLey"}[name]
    with pytest.raises(InvalidSignature):
        own = {"default": ENTRY, account: {key: "its own"}}
        channel.receive(request, Accounts("kakao", own))


# -- what we say -------------------------------------------------------------------------------


def simple_text(body: str | bytes) -> Any:
    told = json.loads(body)
    assert told["version"] == "2.0"
    [output] = told["template"]["outputs"]
    return output["simpleText"]["text"]


def test_an_answer_is_a_skill_response() -> None:
    told = channel.answer_with("가" * 1200, posted("skill_text"), KEYS)
    assert told.content_type.startswith("application/json")
    assert simple_text(told.body) == "가" * 1000


def test_a_skill_is_never_left_without_words() -> None:
    assert simple_text(channel.answer(posted("skill_text")).body)
    assert simple_text(channel.answer(posted("callback_result")).body)
    told = json.loads(channel.answer(posted("skill_callback")).body)
    assert told == {"version": "2.0", "useCallback": True, "data": {}}
    assert channel.answer(posted("channel_added")).body == "ok"


def outgoing(**more: Any) -> Outgoing:
    return replace(Outgoing("key-1", WHO, BOT, f"kakao/{BOT}/{USER}", "오늘 도착해요"), **more)


def test_the_callback_is_told_a_skill_response() -> None:
    call = channel.compose(outgoing(means="token", token=CALLBACK), KEYS)
    assert (call.method, call.url) == ("POST", CALLBACK)
    assert simple_text(call.body) == "오늘 도착해요"
    with pytest.raises(Unsupported):
        channel.compose(outgoing(means="token", token="https://evil.example/"), KEYS)


@pytest.mark.parametrize(
    ("more", "user"),
    [
        ({}, {"type": "botUserKey", "id": USER}),
        (
            {"to": OF_APP, "account": "_ParLey", "conversation_id": "kakao/_ParLey/app:3120045678"},
            {"type": "appUserId", "id": "3120045678"},
        ),
    ],
)
def test_later_an_event_of_the_bot_speaks(more: dict[str, Any], user: dict[str, str]) -> None:
    call = channel.compose(outgoing(**more), KEYS)
    assert call.url == f"https://bot-api.kakao.com/v2/bots/{BOT}/talk"
    assert call.headers["authorization"] == "KakaoAK rest"
    assert json.loads(call.body) == {
        "event": {"name": "parley_message", "data": {"text": "오늘 도착해요"}},
        "user": [user],
        "params": {},
    }


def test_an_alimtalk_goes_to_a_phone_through_the_dealer() -> None:
    to = WHO.model_copy(update={"aliases": ("Xk2", "+821012345678")})
    template = Template("order_shipped", ("A-1001", "https://t.example/1"), "ko")
    call = channel.compose(outgoing(to=to, means="template", template=template), KEYS)
    assert call.url.endswith("/alimtalk/v2.3/appkeys/app%2F1/messages")
    assert call.headers["x-secret-key"] == "secret"
    assert call.headers["x-nc-api-idempotency-key"] == "key-1"
    values = {"order_number": "A-1001", "tracking": "https://t.example/1"}
    assert json.loads(call.body) == {
        "senderKey": "sender",
        "templateCode": "ORDER_SHIPPED",
        "recipientList": [{"recipientNo": "01012345678", "templateParameter": values}],
    }


def test_what_it_cannot_say_is_unsupported() -> None:
    template = Template("order_shipped", ("A", "B"))
    to = WHO.model_copy(update={"aliases": ("+821012345678",)})
    nothing = Credentials("d", {})
    for message, keys in (
        (outgoing(means="template", template=template), KEYS),  # no phone is known
        (outgoing(to=to, means="template", template=template), nothing),  # no dealer
        (outgoing(to=to, means="template", template=Template("order_lost")), KEYS),
        (outgoing(means="template"), KEYS),
        (outgoing(), nothing),  # no event block
    ):
        with pytest.raises(Unsupported):
            channel.compose(message, keys)


@pytest.mark.parametrize(
    ("status", "told", "verdict", "known"),
    [
        (200, {"taskId": "t-1", "status": "SUCCESS"}, "sent", "t-1"),
        (200, {"status": "FAIL", "message": "Invalid callback token. x"}, "retry", None),
        (200, {"status": "ERROR", "message": "no user"}, "permanent", None),
        (401, {}, "reauthorise", None),
        (500, {}, "unknown", None),
        (
            200,
            {"header": {"isSuccessful": True}, "message": {"requestId": "r", "sendResults": []}},
            "sent",
            "r",
        ),
        (
            200,
            {"header": {"isSuccessful": False, "resultCode": -1000, "resultMessage": "key"}},
            "permanent",
            None,
        ),
        (
            200,
            {
                "header": {"isSuccessful": True},
                "message": {"requestId": "r", "sendResults": [{"resultCode": -2023}]},
            },
            "permanent",
            None,
        ),
        (503, {"header": {}}, "retry", None),
    ],
)
def test_the_answer_to_a_call_is_judged(
    status: int, told: dict[str, Any], verdict: str, known: str | None
) -> None:
    outcome = channel.outcome(Response(status, {}, json.dumps(told).encode()))
    assert (outcome.verdict, outcome.message_id) == (verdict, known)


def test_the_samples_of_the_local_stage_show_both_its_secrets() -> None:
    entry = samples.secrets("kakao").of("default")
    assert entry.one("replay").split() == [entry.one("skill_secret"), entry.one("admin_key")]
