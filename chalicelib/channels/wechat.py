"""WeChat Official Account: https://developers.weixin.qq.com/doc/offiaccount/en/

Plain mode signs no body: a URL that was seen carries any body for five minutes. So an account
with an `encoding_aes_key` takes sealed bodies only, unless its `encryption` is `compatible`, which
is for the hour in which the console is switched over.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib.channels import _wechat_compose as compose
from chalicelib.channels._wechat import Sealing, item_id
from chalicelib.channels._wechat_events import event
from chalicelib.channels._wechat_said import WINDOW, Speech
from chalicelib.credentials import Credentials
from chalicelib.outbound import Call, Outcome, Outgoing, Response
from chalicelib.source import Fact, Item, NoWord, Request, ident

_SAYS = (
    "message.received message.delivered message.failed postback.received referral.received"
    " conversation.opened consent.granted consent.withdrawn handoff.completed order.paid"
    " order.changed payment.captured customer.erasure_requested"
)


class WeChat(Sealing):
    name = "wechat"
    title = "WeChat"
    docs = "https://developers.weixin.qq.com/doc/offiaccount/en/"
    emits = frozenset(_SAYS.split())
    signature = "SHA-1 of sorted token, timestamp, nonce and Encrypt, hex; AES-256-CBC body"
    dedupe = "MsgId; of an event FromUserName, CreateTime, Event, EventKey, MsgID, OpenID"
    receiver_key = "appid"
    means = ("response", "free", "template")
    window = WINDOW
    resend = "never"
    text_limit = compose.TEXT_BYTES

    def plain_allowed(self, holder: Credentials) -> bool:
        sealed = holder.get("encoding_aes_key")
        return not sealed or holder.get("encryption") == "compatible"

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        account = ident(document["ToUserName"])
        envelope = {"receiver": self.receiver(request, account)}
        yield Item(document, account, item_id(document), self.name, envelope)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        speech = Speech(item, request)
        kind = item.value.get("MsgType")
        if not kind or kind == "device_event":
            raise NoWord(f"wechat {kind or 'without MsgType'}")
        return event(speech) if kind == "event" else [speech.message()]

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        return compose.call(message, credentials)

    def outcome(self, response: Response) -> Outcome:
        return compose.outcome(response, compose.CODES)


channel = WeChat()
