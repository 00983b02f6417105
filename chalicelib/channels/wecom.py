"""WeCom (WeChat Work), a company's own application.

https://developer.work.weixin.qq.com/document/path/90930
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from chalicelib.channels._query_signed import fresh
from chalicelib.channels._wechat import Sealing, cut, item_id
from chalicelib.channels._wechat_compose import TEXT_BYTES
from chalicelib.channels._wechat_compose import outcome as judged
from chalicelib.channels._wechat_said import Speech
from chalicelib.channels._wecom_said import EXTERNAL, event
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outcome, Outgoing, Response, Verdict
from chalicelib.source import Fact, Item, NoWord, Request, ident

_API = "https://qyapi.weixin.qq.com/cgi-bin"
# https://developer.work.weixin.qq.com/document/path/90313
CODES: Mapping[int, Verdict] = {
    **dict.fromkeys((-1, 45009, 45033), "retry"),
    **dict.fromkeys((40001, 40014, 41001, 42001), "reauthorise"),
    **dict.fromkeys((40003, 41050, 41051, 60111, 81013), "permanent"),
    **dict.fromkeys((40056, 48002, 60011, 60020, 301002), "stop"),
}


class WeCom(Sealing):
    name = "wecom"
    title = "WeCom"
    docs = "https://developer.work.weixin.qq.com/document/path/90930"
    emits = frozenset(
        (
            "message.received postback.received referral.received conversation.opened"
            " consent.granted consent.withdrawn"
        ).split()
    )
    signature = "SHA-1 of sorted token, timestamp, nonce and Encrypt, hex; AES-256-CBC body"
    dedupe = "MsgId; of an event FromUserName, CreateTime, Event, EventKey, ExternalUserID, TaskId"
    receiver_key = "corpid"
    means = ("response", "token", "free")
    resend = "never"  # its duplicate check drops any equal text, also one meant twice
    text_limit = TEXT_BYTES

    def echoed(self, echo: str, request: Request, accounts: Accounts) -> str | None:
        """What is sealed in `echostr`."""
        for holder in accounts.holding(self.secret_key, request.account):
            if fresh(request) and (opened := self.unsealed(echo, request, holder)):
                return opened.body.decode("utf-8", "replace")
        return None

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        """A company has many applications behind one corpid: the URL's account tells them apart."""
        corp = ident(document["ToUserName"])
        envelope = {"receiver": corp}
        yield Item(document, request.account or corp, item_id(document), self.name, envelope)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        speech = _Member(item, request)
        kind = item.value.get("MsgType")
        if not kind:
            raise NoWord("wecom without MsgType")
        return event(speech) if kind == "event" else [speech.message()]

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """To a member at any time; to a customer one welcome, with the code of their arrival."""
        query = urlencode({"access_token": credentials.one("access_token")})
        text = {"content": cut(message.text, TEXT_BYTES)}
        if message.means == "token" and message.token:
            told = {"welcome_code": message.token, "text": text}
            return Call.json(f"{_API}/externalcontact/send_welcome_msg?{query}", told, {})
        outside = message.conversation_id.rpartition("/")[2].startswith(EXTERNAL)
        if message.means != "free" or outside:
            raise Unsupported(f"wecom cannot say {message.means} here")
        agent = int(credentials.one("agentid"))
        spoken = {"touser": message.to.subject, "msgtype": "text", "agentid": agent, "text": text}
        return Call.json(f"{_API}/message/send?{query}", spoken, {})

    def outcome(self, response: Response) -> Outcome:
        """`errcode` decides; 0 with the only recipient among `invaliduser` reached nobody."""
        outcome = judged(response, CODES)
        if outcome.verdict == "sent" and (nobody := response.json.get("invaliduser")):
            return Outcome("permanent", code="invaliduser", title=str(nobody)[:2048])
        return outcome


class _Member(Speech):
    window = None


channel = WeCom()
