"""What a customer says to a Kakao bot, and whether they added or blocked the channel.

https://kakaobusiness.gitbook.io/main/tool/chatbot/skill_guide/answer_json_format
https://developers.kakao.com/docs/latest/ko/kakaotalk-channel/callback
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from chalicelib import payloads as p
from chalicelib.jsons import text_of
from chalicelib.source import Fact, Item, NoWord, Request, ident, when_iso

APP = "app:"
"""Begins the counterpart of a conversation with whom only the app, and no bot, knows."""
_CALLBACK = timedelta(minutes=1)
_LIST = re.compile(r"List\((.*)\)", re.DOTALL)


def skill(item: Item, request: Request) -> Iterator[Fact]:
    """What was said to the bot; and who that is to the app, once they have logged in."""
    asked = item.value["userRequest"]
    user = asked["user"]
    properties = user.get("properties") or {}
    names = [properties.get(name) for name in ("plusfriendUserKey", "appUserId")]
    bot = item.account
    who = p.Identity(
        channel="kakao",
        scope=bot,
        subject=ident(user["id"]),
        aliases=tuple(ident(name) for name in names if name),
    )
    yield Fact("message.received", _message(item, asked, who, request))
    if app_user := properties.get("appUserId"):
        known = _of_app(request, ident(app_user))
        data = p.Link(**item.said, a=who, b=known, evidence="appUserId")
        yield Fact("identity.linked", data)


def hook(item: Item, request: Request) -> Iterator[Fact]:
    """The channel was added or blocked, by somebody as the app knows them."""
    told = item.value
    who = _of_app(request, ident(told["id"]))
    at = when_iso(told.get("updated_at"))
    thread = f"kakao/{item.account}/{APP}{who.subject}"
    match told.get("event"):
        case "added":
            data = p.Opened(**item.said, conversation_id=thread, identity=who)
            yield Fact("conversation.opened", data, at)
        case "blocked":
            gone = p.Consent(**item.said, identity=who, source="blocked")
            yield Fact("consent.withdrawn", gone, at)
        case event:
            raise NoWord(f"kakao event {event}"[:2048])


def callback(asked: Mapping[str, Any]) -> str:
    """The one-shot URL of a request, where it is Kakao's own; else empty."""
    url = asked.get("callbackUrl")
    return url if isinstance(url, str) and is_kakaos(url) else ""


def is_kakaos(url: str) -> bool:
    """Whether a URL that somebody posted to us may be called."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    own = host == "kakao.com" or host.endswith(".kakao.com")
    return parts.scheme == "https" and own and port is None and "@" not in parts.netloc


def _message(item: Item, asked: Mapping[str, Any], who: p.Identity, request: Request) -> p.Message:
    params = asked.get("params") or {}
    lang, url = asked.get("lang"), callback(asked)
    until = request.now + _CALLBACK
    return p.Message(
        **item.said,
        message_id=item.id,
        conversation_id=f"kakao/{item.account}/{who.subject}",
        author=p.Author(kind="customer", identity=who),
        content=tuple(_parts(item.value, asked, params)),
        lang="ko" if lang == "kr" else lang or None,
        reply_token=p.ReplyToken(token=url, expires_at=until) if url else None,
        synthetic=True if params.get("surface") == "BuilderBotTest" else None,
    )


def _parts(value: Mapping[str, Any], asked: Mapping[str, Any], params: Any) -> Iterator[Any]:
    """The words; what a button brought along; pictures, also those sent for our eyes only."""
    action = value.get("action") or {}
    pictures = list(_pictures(params, action.get("params") or {}))
    words = asked["utterance"]
    if words not in [picture.url for picture in pictures]:
        yield p.Text(text=words)
    extra = action.get("clientExtra")
    if isinstance(extra, dict) and extra:
        yield p.Postback(payload=text_of(extra), title=words)
    yield from pictures


def _pictures(params: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[p.Media]:
    match params.get("media"):
        case {"type": "image", "url": str(url)}:
            yield p.Media(media="image", url=url)
        case {"type": str(_), "url": str(url)}:
            yield p.Media(media="file", url=url)
    secret = given.get("secureimage")
    if isinstance(secret, str):  # JSON in a text, and in it a list that is no JSON
        found = _LIST.fullmatch(str(json.loads(secret)["secureUrls"]))
        for url in found[1].split(",") if found else ():
            yield p.Media(media="image", url=url.strip())


def _of_app(request: Request, subject: str) -> p.Identity:
    """Ids of a Kakao app: where a brand has several apps, the URL's account names which."""
    return p.Identity(channel="kakao", scope=request.account or "app", subject=subject)
