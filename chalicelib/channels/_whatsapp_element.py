"""One message, status or change of a customer on WhatsApp, with what stands around it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import BUSINESS, person, speaker, window, words
from chalicelib.source import Fact, Item, Request, ident, when

_NAMES: Mapping[str, tuple[str, str]] = {
    "messages": ("from_user_id", "from"),
    "message_echoes": ("to_user_id", "to"),
    "statuses": ("recipient_user_id", "recipient_id"),
    "user_preferences": ("user_id", "wa_id"),
}
_MEMBER = ("recipient_participant_user_id", "recipient_participant_id")


def names_of(value: Mapping[str, Any], of: str) -> tuple[Any, Any]:
    """(user id, phone number) by which an element of the list `of` names the customer."""
    pair = _MEMBER if value.get("recipient_type") == "group" else _NAMES.get(of)
    return (value.get(pair[0]), value.get(pair[1])) if pair else (None, value.get("wa_id"))


class Element:
    """What the readers of an item share; ValueError where a name is no name."""

    def __init__(self, item: Item, request: Request) -> None:
        envelope = item.envelope
        self.item, self.value, self.now = item, item.value, request.now
        self.waba: str = envelope["id"]
        self.out = envelope["of"] == "message_echoes"
        self.at = when(self.value.get("timestamp"))
        self.contact: Mapping[str, Any] = envelope.get("contact") or {}
        user_id, phone = names_of(self.value, envelope["of"])
        known = self.contact.get
        self.customer = self.identity(user_id or known("user_id"), phone or known("wa_id"))

    def identity(self, user_id: Any, wa_id: Any) -> p.Identity | None:
        """The user id, which a customer always has, else the number; the other is an alias."""
        names = [ident(name) for name in (user_id, wa_id) if name]
        return person("whatsapp", self.waba, *names) if names else None

    def known(self) -> p.Identity:
        if not self.customer:
            raise ValueError("nobody")
        return self.customer

    @property
    def conversation(self) -> str:
        value = self.value
        group = value.get("group_id") or (
            value.get("recipient_id") if value.get("recipient_type") == "group" else None
        )
        who = ident(group) if group else self.known().subject
        return f"whatsapp/{self.item.account}/{who}"

    @property
    def author(self) -> p.Author:
        if self.out:
            return BUSINESS
        who, name = self.known(), words((self.contact.get("profile") or {}).get("name"))
        return speaker(name, "whatsapp", self.waba, who.subject, *who.aliases)

    @property
    def window(self) -> datetime | None:
        """What is said in a group opens no window of its member."""
        return None if self.out or "group_id" in self.value else window(self.at, self.now)

    def message(self, known_as: Any, content: tuple[Any, ...], opens: bool = False) -> p.Message:
        context = self.value.get("context") or {}
        return p.Message(
            **self.item.said,
            message_id=ident(known_as),
            conversation_id=self.conversation,
            direction="out" if self.out else "in",
            author=self.author,
            to=self.customer if self.out else None,
            content=content,
            reply_to=context.get("id"),
            window_until=self.window if opens else None,
        )

    def linked(self, a: p.Identity | None, b: p.Identity | None, evidence: str) -> Fact:
        """That two names are one person; ValueError when one of them is missing."""
        if not (a and b):
            raise ValueError("nobody")
        link = p.Link(**self.item.said, a=a, b=b, evidence=evidence)
        return Fact("identity.linked", link, self.at)
