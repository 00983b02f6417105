"""X, once Twitter: https://docs.x.com/x-api/activity/introduction

The Activity API, and the Account Activity API before it, which is deprecated and still delivers.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from chalicelib.channels._channel import Channel
from chalicelib.channels._x_items import elements
from chalicelib.channels._x_measure import cut
from chalicelib.channels._x_said import BROADCAST, said
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import MalformedPayload, Unsupported
from chalicelib.jsons import text_of
from chalicelib.outbound import Call, Outcome, Outgoing, Response, judge
from chalicelib.signing import sha256_base64
from chalicelib.source import Answer, Fact, Item, Request, SignedSource

_API = "https://api.x.com/2"
_POST_WEIGHS = 280
_MESSAGE_LENGTH = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9_+/=.-]{1,512}")
_LIMITS = ("x-user-limit-24hour", "x-app-limit-24hour", "x-rate-limit")
_SAYS = (
    "message.received message.echoed message.read reaction.added conversation.opened"
    " consent.withdrawn comment.created comment.edited comment.deleted mention.created"
    " share.created"
)


class X(SignedSource, Channel):
    name = "x"
    title = "X"
    docs = "https://docs.x.com/x-api/activity/introduction"
    emits = frozenset(_SAYS.split())
    handshake_kind = "crc_token"
    signature = "HMAC-SHA256 of the body, sha256= and base64"
    signing_key = "consumer_secret"
    dedupe = "id of the post, message or like; reader and message; else event_uuid or the element"
    deadline = timedelta(seconds=10)
    retry_horizon = timedelta(hours=24)  # X retries nothing; a replay job reaches that far back
    time_unit = "ms"
    means = ("free",)
    text_limit = _POST_WEIGHS

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {"x-twitter-webhooks-signature": "sha256=" + sha256_base64(key, request.body)}

    def handshake(self, request: Request, accounts: Accounts) -> Answer:
        """The CRC: proof that we hold the consumer secret.

        MalformedPayload for what is no token: X signs bodies with the same key in the same way,
        so whoever could have anything signed here could sign a delivery.
        """
        if request.method != "GET":
            return super().handshake(request, accounts)
        token = request.query.get("crc_token") or ""
        if not _TOKEN.fullmatch(token):
            raise MalformedPayload("x: no crc_token")
        holder = next(accounts.holding(self.signing_key, request.account))
        proof = "sha256=" + sha256_base64(holder.one(self.signing_key), token.encode())
        return Answer(text_of({"response_token": proof}), content_type="application/json")

    def items(self, document: Any, request: Request) -> Iterable[Item]:
        return elements(document, request)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        return said(item, request)

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """A direct message, or a reply to the post that ends the conversation's id."""
        if message.means != "free":
            raise Unsupported(f"x cannot say {message.means}")
        auth = {"authorization": f"Bearer {credentials.one('access_token')}"}
        match message.conversation_id.split("/")[2:]:
            case [kind, *_] if kind == BROADCAST:
                raise Unsupported("x takes no answers below a broadcast")
            case [_, post]:
                words = {"text": cut(message.text, _POST_WEIGHS)}
                reply = {**words, "reply": {"in_reply_to_tweet_id": post}}
                return Call.json(f"{_API}/tweets", reply, auth)
        where = f"{_API}/dm_conversations/with/{quote(message.to.subject, safe='')}/messages"
        return Call.json(where, {"text": message.text[:_MESSAGE_LENGTH]}, auth)

    def outcome(self, response: Response) -> Outcome:
        """By the status, and the problem's type where it knows more."""
        problem, title = str(response.json.get("type", "")), _title(response.json)
        match response.status:
            case 200 | 201:
                return Outcome("sent", _sent(response.json))
            case 429 if "usage-capped" not in problem:
                return Outcome("retry", None, "429", title, _until_reset(response))
            case 402 | 429:  # nothing more until somebody pays
                return Outcome("stop", None, str(response.status), title)
            case 403 if "client-forbidden" in problem or "unsupported-authentication" in problem:
                return Outcome("stop", None, "403", title)
            case 403:  # no open messages, not summoned, said before
                return Outcome("permanent", None, "403", title)
        found = judge(response)
        return Outcome(found.verdict, None, found.code, title, found.retry_after_s)


def _sent(document: Mapping[str, Any]) -> str | None:
    match document:
        case {"data": {"id": str(known)} | {"dm_event_id": str(known)}}:
            return known
    return None


def _title(document: Mapping[str, Any]) -> str | None:
    return str(document.get("detail") or document.get("title") or "")[:2048] or None


def _until_reset(response: Response) -> int | None:
    """Seconds from the answer's `Date` to the reset of the limit that is used up."""
    headers, now = response.headers, _date(response.headers.get("date", ""))
    spent = [limit for limit in _LIMITS if headers.get(f"{limit}-remaining") == "0"]
    resets = [headers.get(f"{limit}-reset", "") for limit in spent or _LIMITS[-1:]]
    waits = [int(reset) - now.timestamp() for reset in resets if now and reset.isdecimal()]
    return max(1, int(max(waits))) if waits else None


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


channel = X()
