"""What each event of an Official Account says. Names are compared in lower case: they mix it.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._wechat import listed
from chalicelib.channels._wechat_said import Speech
from chalicelib.money import from_minor
from chalicelib.source import Fact, NoWord, ident

_SCENE = "qrscene_"
_PAID = "2"
_CODE = re.compile(r"err\((\d+)\)")
_PASSING = {"system failed", "system_failed"}
"""Failures that are the platform's, not the customer's wish."""


def event(speech: Speech) -> Iterator[Fact]:
    """The facts of one event; NoWord for what speaks of no customer's doing."""
    if not (reader := _READERS.get(speech.event)):
        raise NoWord(f"wechat event {speech.event}"[:2048])
    return reader(speech)


def _subscribed(speech: Speech) -> Iterator[Fact]:
    """A new follower; where they came from, if the key tells."""
    yield speech.opened()
    if key := speech.value.get("EventKey"):
        scene = ident(key)
        if scene.startswith(_SCENE):
            yield speech.referred(scene.removeprefix(_SCENE), "qrscene", "qr")
        elif scene.startswith("scanbarcode|"):
            yield speech.referred(scene.partition("|")[2], "scanbarcode", "qr")
        else:  # last_trade_no_<no>: after a payment
            yield speech.referred(scene, "subscribe", "link")


def _scanned(speech: Speech) -> Iterator[Fact]:
    yield speech.referred(ident(speech.value["EventKey"]), "scan", "qr")


def _entered(speech: Speech) -> Iterator[Fact]:
    """The conversation opened from a product that was scanned, or from a card."""
    ref = speech.value.get("KeyStr") or speech.value["CardId"]
    medium: Any = "qr" if speech.value.get("KeyStr") else "link"
    yield speech.referred(ident(ref), speech.event, medium)


def pressed(speech: Speech) -> Iterator[Fact]:
    """A menu entry; what it made the customer scan stands as its title."""
    scanned = speech.value.get("ScanCodeInfo") or {}
    yield speech.press(speech.value["EventKey"], scanned.get("ScanResult") or None)


def left(speech: Speech) -> Iterator[Fact]:
    """Somebody unfollowed."""
    yield speech.withdrawn()


def _templated(speech: Speech) -> Iterator[Fact]:
    yield _status(speech, speech.value["MsgID"], str(speech.value["Status"]), speech.identity)


def _subscription_sent(speech: Speech) -> Iterator[Fact]:
    for told in listed(speech.value["SubscribeMsgSentEvent"]["List"]):
        well = str(told["ErrorCode"]) == "0"
        status = "success" if well else f"failed:{told['ErrorCode']} {told.get('ErrorStatus', '')}"
        yield _status(speech, told["MsgID"], status, speech.identity)


def _broadcast(speech: Speech) -> Iterator[Fact]:
    """A mass send ended; who it went to is not said, only how many."""
    yield _status(speech, speech.value["MsgID"], str(speech.value["Status"]), None)


def _status(speech: Speech, sent: Any, told: str, who: p.Identity | None) -> Fact:
    well = told.lower() in ("success", "send success", "sendsuccess")
    thread = speech.conversation if who else f"wechat/{speech.item.account}/mass"
    data = p.Status(
        **speech.item.said,
        status="delivered" if well else "failed",
        conversation_id=thread,
        at=speech.at or speech.now,
        message_id=ident(sent),
        identity=who,
        error=None if well else _failure(told),
    )
    return Fact(f"message.{data.status}", data, speech.at)


def _failure(told: str) -> p.Failure:
    """`failed:user block`, `failed: system failed`, `err(10001)`, `send fail`."""
    reason = told.partition(":")[2].strip() or told
    code = _CODE.fullmatch(reason)
    return p.Failure(code=code[1] if code else reason, title=told, retryable=reason in _PASSING)


def _answered(speech: Speech) -> Iterator[Fact]:
    """Whether a customer lets one template reach them: a wish per template, never for all."""
    for field in ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent"):
        inside = speech.value.get(field) or {}
        for told in listed(inside.get("List")):
            granted = str(told["SubscribeStatusString"]).lower() == "accept"
            data = p.Consent(
                **speech.item.said,
                identity=speech.identity,
                purpose=f"template:{ident(told['TemplateId'])}",
                scope="purpose",
                source=speech.event,
            )
            yield Fact("consent.granted" if granted else "consent.withdrawn", data, speech.at)


def _handed(speech: Speech) -> Iterator[Fact]:
    """A person of the platform's own desk took the conversation, passed it on, or left it."""
    began = speech.event == "kf_create_session"
    ended = speech.event == "kf_close_session"
    agent = speech.value.get("ToKfAccount") or speech.value.get("KfAccount") or ""
    data = p.Handoff(
        **speech.item.said,
        conversation_id=speech.conversation,
        source="bot" if began else "human",
        to="bot" if ended else "human",
        reason=f"{speech.event} {agent}".strip(),
        identity=speech.identity,
    )
    yield Fact("handoff.completed", data, speech.at)


def _ordered(speech: Speech) -> Iterator[Fact]:
    """The account's own little shop; it names neither prices nor lines we could count."""
    data = p.Order(
        **speech.item.said,
        shop=f"wechat:{speech.item.account}",
        order_id=ident(speech.value["OrderId"]),
        customer=speech.identity,
        conversation_id=speech.conversation,
    )
    paid = str(speech.value.get("OrderStatus")) == _PAID
    yield Fact("order.paid" if paid else "order.changed", data, speech.at)


def _paid(speech: Speech) -> Iterator[Fact]:
    """A member paid at the till with their card: a claim, in fen."""
    data = p.Payment(
        **speech.item.said,
        payment_id=ident(speech.value["TransId"]),
        provider="wechatpay",
        amount=from_minor(speech.value["Fee"], "CNY"),
        currency="CNY",
    )
    yield Fact("payment.captured", data, speech.at)


def _forgotten(speech: Speech) -> Iterator[Fact]:
    """The customer closed their account; here `FromUserName` is the platform's own."""
    data = p.Erasure(**speech.item.said, identity=_of(speech))
    yield Fact("customer.erasure_requested", data, speech.at)


def _revoked(speech: Speech) -> Iterator[Fact]:
    """The customer took back what they let us know of them (avatar, address, phone)."""
    data = p.Consent(
        **speech.item.said,
        identity=_of(speech),
        purpose=f"profile:{speech.value.get('RevokeInfo') or 'all'}",
        scope="purpose",
        source=speech.event,
    )
    yield Fact("consent.withdrawn", data, speech.at)


def _of(speech: Speech) -> p.Identity:
    return speech.identity.model_copy(update={"subject": ident(speech.value["OpenID"])})


_MENU = (
    "click view view_miniprogram scancode_push scancode_waitmsg pic_sysphoto pic_photo_or_album"
    " pic_weixin location_select"
).split()
_READERS: Mapping[str, Callable[[Speech], Iterator[Fact]]] = {
    "subscribe": _subscribed,
    "unsubscribe": left,
    "scan": _scanned,
    **dict.fromkeys(_MENU, pressed),
    "templatesendjobfinish": _templated,
    "masssendjobfinish": _broadcast,
    "subscribe_msg_sent_event": _subscription_sent,
    **dict.fromkeys(("subscribe_msg_popup_event", "subscribe_msg_change_event"), _answered),
    **dict.fromkeys(("kf_create_session", "kf_switch_session", "kf_close_session"), _handed),
    **dict.fromkeys(("user_scan_product_enter_session", "user_enter_session_from_card"), _entered),
    "merchant_order": _ordered,
    "user_pay_from_pay_cell": _paid,
    "user_authorization_cancellation": _forgotten,
    "user_authorization_revoke": _revoked,
}
