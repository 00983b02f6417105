"""Weibo fans service: https://open.weibo.com/wiki/粉丝服务平台

The signature covers no body and nobody keeps its nonce: who saw one URL may post any body to it
for five minutes. A body's own repetition is the same fact; a forged one is not told from a true
one within that time, so keep the URL out of logs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.channels._channel import Channel
from chalicelib.channels._query_signed import QuerySigned, fresh, signed_by, sorted_sha1, stamped
from chalicelib.channels._wechat_reply import passive_reply
from chalicelib.channels._weibo_said import WINDOW, Words, event
from chalicelib.channels._xml import read_xml
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.jsons import text_of
from chalicelib.outbound import Call, Outcome, Outgoing, Response, Verdict, judge
from chalicelib.source import Answer, Fact, Item, NoWord, Request, ident

_API = "https://m.api.weibo.com/2/messages/reply.json"
_FORM = {"content-type": "application/x-www-form-urlencoded"}
# https://open.weibo.com/wiki/Error_code
CODES: Mapping[int, Verdict] = {
    **dict.fromkeys((10002, 10009, 10022, 10023, 10024), "retry"),
    10001: "unknown",
    **dict.fromkeys((21301, 21314, 21315, 21316, 21317, 21327, 21332), "reauthorise"),
    **dict.fromkeys((10004, 10005, 10013, 10014), "stop"),
    26403: "permanent",  # answered already, or too late
}


class Weibo(QuerySigned, Channel):
    name = "weibo"
    title = "Weibo"
    docs = "https://open.weibo.com/wiki/%E7%B2%89%E4%B8%9D%E6%9C%8D%E5%8A%A1%E5%B9%B3%E5%8F%B0"
    emits = frozenset(
        (
            "message.received message.echoed mention.created postback.received referral.received"
            " conversation.opened consent.withdrawn"
        ).split()
    )
    signature = "SHA-1 of sorted app secret, timestamp and nonce, hex; no body"
    secret_key = "app_secret"
    signing_key = "app_secret"
    dedupe = "sender_id, created_at, type, subtype, key and text"
    deadline = timedelta(seconds=5)
    retry_horizon = timedelta(seconds=15)
    means = ("response", "free")
    window = WINDOW
    resend = "never"
    text_limit = 299
    in_response = timedelta(seconds=5)

    def matches(self, request: Request, key: str) -> bool:
        return signed_by(key, request) and fresh(request)

    def signed(self, request: Request, key: str) -> Request:
        words = stamped(request, milliseconds=True)
        signature = sorted_sha1(key, *words.values())
        return replace(request, query={**request.query, **words, "signature": signature})

    def document(self, request: Request) -> Any:
        """JSON, or WeChat's XML where the console says so."""
        return read_xml(request.body) if _is_xml(request) else request.json

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        words = Words.of(document)
        yield Item(document, words.receiver, words.fingerprint, self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        words = Words.of(item.value)
        if not words.kind:
            raise NoWord("weibo without type")
        return event(words, item, request)

    def answer(self, request: Request) -> Answer:
        """Nothing means accepted; more would be shown to the customer."""
        return Answer("")

    def answer_with(self, text: str, request: Request, credentials: Credentials) -> Answer:
        """The passive reply; its data is JSON, percent-encoded once."""
        heard = self.document(request)
        if _is_xml(request):
            reply = passive_reply(heard, text[: self.text_limit], request)
            return Answer(reply, content_type="application/xml; charset=utf-8")
        told = {
            "result": True,
            "sender_id": ident(heard["receiver_id"]),
            "receiver_id": ident(heard["sender_id"]),
            "type": "text",
            "data": quote(self._said(text), safe=""),
        }
        return Answer(text_of(told), content_type="application/json; charset=utf-8")

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """To whoever spoke, followed, pressed or scanned in the last 48 h; once for a mention."""
        if message.means != "free":
            raise Unsupported(f"weibo cannot say {message.means}")
        form = {
            "access_token": credentials.one("access_token"),
            "type": "text",
            "data": self._said(message.text),  # the form encodes it once more
            "receiver_id": message.to.subject,
            "save_sender_box": "1",
        }
        return Call("POST", _API, _FORM, urlencode(form).encode())

    def outcome(self, response: Response) -> Outcome:
        code = response.json.get("error_code")
        if not str(code).isdecimal():
            return judge(response)
        title = str(response.json.get("error") or "")[:2048]
        return Outcome(CODES.get(int(str(code)), "permanent"), None, str(code), title)

    def _said(self, text: str) -> str:
        return text_of({"text": text[: self.text_limit]})


def _is_xml(request: Request) -> bool:
    return request.body.lstrip()[:1] == b"<"


channel = Weibo()
