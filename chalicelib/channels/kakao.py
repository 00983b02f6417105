"""KakaoTalk: a bot's skill, and the channel's added and blocked.

https://kakaobusiness.gitbook.io/main/tool/chatbot/skill_guide

Kakao signs nothing. A skill is configured with a header of our own, `x-parley-secret`; the channel
webhook shows the app's admin key. Either is all there is, so neither may be logged.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from chalicelib.channels import _alimtalk as alimtalk
from chalicelib.channels._channel import Channel
from chalicelib.channels._kakao_said import APP, callback, hook, is_kakaos, skill
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, Unsupported
from chalicelib.events import iso
from chalicelib.jsons import text_of
from chalicelib.outbound import Call, Outcome, Outgoing, Response, judge
from chalicelib.signing import same
from chalicelib.source import (
    SHAPE_ERRORS,
    Answer,
    Fact,
    Item,
    Request,
    SignedSource,
    fingerprint,
    ident,
)

_API = "https://bot-api.kakao.com/v2/bots"
_SECRET = "x-parley-secret"
_ADMIN = "KakaoAK "
_RECEIVED = "메시지를 받았습니다."
"""We have your message: a skill without words shows the customer an error."""
_JSON = "application/json; charset=utf-8"


class Kakao(SignedSource, Channel):
    name = "kakao"
    title = "KakaoTalk"
    docs = "https://kakaobusiness.gitbook.io/main/tool/chatbot/skill_guide"
    emits = frozenset(
        "message.received identity.linked conversation.opened consent.withdrawn".split()
    )
    signature = "none: a secret header (skill), Authorization with the admin key (channel)"
    signing_key = "replay"
    shared_key = False
    signs_body: ClassVar[bool] = False
    dedupe = "X-Kakao-Resource-ID; of a skill X-Request-Id, else callbackUrl, else words and time"
    deadline = timedelta(seconds=3)
    retry_horizon = timedelta(days=1)
    means = ("response", "token", "free", "template")
    resend = "never"
    text_limit = 1000
    in_response = timedelta(seconds=5)

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        """`key` names both secrets, `skill_secret admin_key`; the body tells which is shown."""
        secret, admin = key.split()
        return {"authorization": _ADMIN + admin} if _is_hook(request) else {_SECRET: secret}

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        name, given = _shown(request)
        for holder in accounts.holding(name, request.account):
            if any(same(given, live) for live in holder.live(name)):
                return holder
        raise InvalidSignature(self.name)

    def may_claim(self, signer: Credentials, account: str, accounts: Accounts) -> bool:
        names = ("skill_secret", "admin_key")
        return all(accounts.may_speak(signer, account, name) for name in names)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        """The admin key speaks for channels, the skill's secret for bots; neither for both."""
        if _shown(request)[0] == "admin_key":
            account, known = ident(document["channel_public_id"]), _hook_id(document, request)
        else:
            account, known = ident(document["bot"]["id"]), _skill_id(document, request)
        yield Item(document, account, known, self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        return (hook if _shown(request)[0] == "admin_key" else skill)(item, request)

    def answer(self, request: Request) -> Answer:
        """A skill must say something: that it will call back, or that it has heard."""
        if _shown(request)[0] == "admin_key":
            return Answer()
        if _asked_for_callback(request):
            told = {"version": "2.0", "useCallback": True, "data": {}}
            return Answer(text_of(told), content_type=_JSON)
        return Answer(_said(_RECEIVED), content_type=_JSON)

    def answer_with(self, text: str, request: Request, credentials: Credentials) -> Answer:
        return Answer(_said(text), content_type=_JSON)

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """By the callback once, within a minute; else an event of the bot, or an Alimtalk."""
        if message.means == "template" and message.template:
            return alimtalk.notice(message, message.template, credentials)
        if message.means == "token" and message.token:
            if not is_kakaos(message.token):
                raise Unsupported("kakao calls back to itself only")
            headers = {"content-type": "application/json"}
            return Call("POST", message.token, headers, _said(message.text).encode())
        if message.means == "free":
            return _event(message, credentials)
        raise Unsupported(f"kakao cannot say {message.means}")

    def outcome(self, response: Response) -> Outcome:
        """`status` of a callback or an event; what has a `header` comes from the dealer."""
        match response.json:
            case {"header": dict()}:
                return next(iter(alimtalk.DEALERS.values())).outcome(response)
            case {"status": "SUCCESS", "taskId": str(task)}:
                return Outcome("sent", task)
            case {"status": "FAIL" | "ERROR", **more}:
                return _refused(str(more.get("message") or "")[:2048])
        return judge(response)


def _shown(request: Request) -> tuple[str, str]:
    """Which secret a request shows, and what it shows."""
    given = request.headers.get("authorization", "")
    if given.startswith(_ADMIN):
        return "admin_key", given.removeprefix(_ADMIN)
    return "skill_secret", request.headers.get(_SECRET, "")


def _is_hook(request: Request) -> bool:
    try:
        return "channel_public_id" in request.json
    except (MalformedPayload, TypeError):
        return False


def _asked_for_callback(request: Request) -> bool:
    try:
        return bool(callback(request.json["userRequest"]))
    except SHAPE_ERRORS:
        return False


def _hook_id(document: Any, request: Request) -> str:
    if known := request.headers.get("x-kakao-resource-id"):
        return known
    names = ("event", "id", "id_type", "channel_public_id", "updated_at")
    return fingerprint(*(document.get(name) for name in names))


def _skill_id(document: Any, request: Request) -> str:
    """Kakao repeats no request, so what bears no id is a message of its moment: somebody may well
    say `네` twice."""
    asked = document["userRequest"]
    if known := request.headers.get("x-request-id") or callback(asked):
        return fingerprint(known)
    return fingerprint(asked["user"]["id"], asked["utterance"], iso(request.now))


def _said(text: str) -> str:
    words = {"simpleText": {"text": text[: Kakao.text_limit]}}
    return text_of({"version": "2.0", "template": {"outputs": [words]}})


def _event(message: Outgoing, credentials: Credentials) -> Call:
    """The account's own event block says `{{text}}`; every one of them is paid for."""
    if not (name := credentials.get("event_name")):
        raise Unsupported("kakao has no event block to speak through")
    of_app = message.conversation_id.rpartition("/")[2].startswith(APP)
    bot = credentials.one("bot_id") if of_app else message.account
    user = {"type": "appUserId" if of_app else "botUserKey", "id": message.to.subject}
    data = {"text": message.text[: Kakao.text_limit]}
    told = {"event": {"name": name, "data": data}, "user": [user], "params": {}}
    headers = {"authorization": _ADMIN + credentials.one("rest_api_key")}
    return Call.json(f"{_API}/{quote(bot, safe='')}/talk", told, headers)


def _refused(told: str) -> Outcome:
    """A callback that is spent or late: said again, without it."""
    if "callback token" in told.lower():
        return Outcome("retry", code="callback", title=told)
    return Outcome("permanent", code="refused", title=told)


channel = Kakao()
