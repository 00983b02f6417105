"""What a WeCom application is told of: its members, and the customers they know.

https://developer.work.weixin.qq.com/document/path/90240
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from chalicelib import payloads as p
from chalicelib.channels._meta import medium
from chalicelib.channels._wechat_events import left, pressed
from chalicelib.channels._wechat_said import Speech
from chalicelib.source import Fact, NoWord, ident

EXTERNAL = "external:"
"""Begins the counterpart of a conversation with a customer, who is no member of the company."""
_WELCOME = timedelta(seconds=20)


def event(speech: Speech) -> Iterator[Fact]:
    """The facts of one event; NoWord for what speaks of no customer's doing."""
    if speech.event == "kf_msg_or_event":
        raise NoWord("wecom kf_msg_or_event: a nudge, the messages are to be fetched")
    if not (reader := _READERS.get(speech.event)):
        raise NoWord(f"wecom event {speech.event}"[:2048])
    return reader(speech)


class Stranger(Speech):
    """A customer from WeChat, whom a member of the company knows; the platform says it."""

    @property
    def subject(self) -> str:
        return ident(self.value["ExternalUserID"])

    @property
    def conversation(self) -> str:
        return f"wecom/{self.item.account}/{EXTERNAL}{self.subject}"

    def met(self) -> Fact:
        """The code lets us greet them once, within 20 s."""
        code = self.value.get("WelcomeCode")
        until = self.now + _WELCOME
        data = p.Opened(
            **self.item.said,
            conversation_id=self.conversation,
            identity=self.identity,
            reply_token=p.ReplyToken(token=ident(code), expires_at=until) if code else None,
        )
        return Fact("conversation.opened", data, self.at)


def _acquainted(speech: Speech) -> Iterator[Fact]:
    who = Stranger(speech.item, speech)
    match str(speech.value.get("ChangeType")):
        case "add_external_contact" | "add_half_external_contact":
            yield who.met()
            if state := speech.value.get("State"):
                yield who.referred(ident(state), "contact_way", medium(ident(state)))
        case "del_follow_user":  # the customer removed our member
            yield who.withdrawn("del_follow_user")
        case "msg_audit_approved":
            data = p.Consent(
                **speech.item.said,
                identity=who.identity,
                purpose="chat_archive",
                scope="purpose",
                source="msg_audit_approved",
            )
            yield Fact("consent.granted", data, speech.at)
        case change:
            raise NoWord(f"wecom change_external_contact {change}"[:2048])


def _opened(speech: Speech) -> Iterator[Fact]:
    yield speech.opened()


_PRESSED = (
    "click view view_miniprogram scancode_push scancode_waitmsg pic_sysphoto pic_photo_or_album"
    " pic_weixin location_select template_card_event template_card_menu_event taskcard_click"
).split()
_READERS: Mapping[str, Callable[[Speech], Iterator[Fact]]] = {
    "subscribe": _opened,
    "unsubscribe": left,
    **dict.fromkeys(_PRESSED, pressed),
    "change_external_contact": _acquainted,
}
