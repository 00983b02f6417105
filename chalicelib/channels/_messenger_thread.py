"""One element of a conversation on Messenger or Instagram, with what its readers share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from chalicelib import payloads as p
from chalicelib.channels._meta import BUSINESS, medium, person, speaker, traced, window, words
from chalicelib.source import Fact, Item, Request, ident, when

GUEST = "user_ref:"
"""A guest of the chat plugin has no page-scoped id yet."""


def party(side: Any) -> str:
    """Id of a `sender` or `recipient`; empty for nobody."""
    if not isinstance(side, dict):
        return ""
    return ident(side["id"]) if side.get("id") else guest(side.get("user_ref"))


def guest(user_ref: Any) -> str:
    """The id of a guest, as we write it."""
    return GUEST + ident(user_ref) if user_ref else ""


class Thread:
    """Who speaks with whom, when, and as whose copy."""

    def __init__(self, item: Item, request: Request) -> None:
        value = item.value
        self.item, self.value, self.now = item, value, request.now
        self.at = when(value.get("timestamp"))
        self.standby: Literal[True] | None = True if item.envelope["of"] == "standby" else None
        sender, recipient = party(value.get("sender")), party(value.get("recipient"))
        self.out = _echoed(value.get("message")) or sender == item.account
        # old echoes name the customer first
        swapped = not self.out or recipient == item.account
        self.psid = sender if swapped else recipient

    def identity(self, psid: str) -> p.Identity:
        """ValueError for nobody."""
        return person(self.item.channel, self.item.account, ident(psid))

    @property
    def customer(self) -> p.Identity:
        return self.identity(self.psid)

    @property
    def conversation(self) -> str:
        return f"{self.item.channel}/{self.item.account}/{self.customer.subject}"

    @property
    def author(self) -> p.Author:
        if self.out:
            return BUSINESS
        return speaker(None, self.item.channel, self.item.account, self.customer.subject)

    @property
    def window(self) -> datetime | None:
        return None if self.out else window(self.at, self.now)

    def message(self, known_as: Any, content: tuple[Any, ...], opens: bool = False) -> p.Message:
        said = self.value.get("message") or {}
        return p.Message(
            **self.item.said,
            message_id=ident(known_as),
            conversation_id=self.conversation,
            direction="out" if self.out else "in",
            author=self.author,
            to=self.customer if self.out else None,
            content=content,
            reply_to=(said.get("reply_to") or {}).get("mid"),
            window_until=self.window if opens else None,
            trace=traced(said.get("metadata")) if self.out else None,
            standby=self.standby,
        )

    def referral(self, given: Mapping[str, Any], source: str = "") -> Fact:
        """How the customer came in: a link, its QR, an ad, or a product of the shop."""
        ad, ref = given.get("ad_id"), words(given.get("ref"))
        if product := _product(given):
            ref, source = ref or product, source or "PRODUCT"
        source = source or str(given.get("source") or "SHORTLINK")
        data = p.Referral(
            **self.item.said,
            conversation_id=self.conversation,
            identity=self.customer,
            ref=ref or (ident(ad) if ad else ""),
            source=source,
            medium="ad" if source == "ADS" else medium(ref or ""),
            ad_id=ident(ad) if ad else None,
            window_until=self.window,
        )
        return Fact("referral.received", data, self.at)

    def receipt(self, reached: Any, watermark: Any, mid: str | None = None) -> Fact:
        """That everything up to the watermark (ms), or the one message `mid`, came so far."""
        until = when(watermark)
        at = self.at or until or self.now
        data = p.Status(
            **self.item.said,
            status=reached,
            conversation_id=self.conversation,
            at=at,
            message_id=mid,
            watermark=None if mid else until,
            identity=self.customer,
        )
        return Fact(f"message.{reached}", data, at)

    def linked(self, b: p.Identity, evidence: str) -> Fact:
        link = p.Link(**self.item.said, a=self.customer, b=b, evidence=evidence)
        return Fact("identity.linked", link, self.at)


def _product(given: Mapping[str, Any]) -> str | None:
    match given:
        case {"product": {"id": known}}:
            return ident(known)
    return None


def _echoed(message: Any) -> bool:
    return isinstance(message, dict) and bool(message.get("is_echo") or message.get("isEcho"))
