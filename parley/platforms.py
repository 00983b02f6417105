"""How each platform answers when all is well: what the recorder says in its place.

Ids are a hash of the call, so the same call gets the same answer on every run.
"""

import base64
import fnmatch
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """One outbound call. `path` has no query; header names are lower-case."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as it was sent, without the query."""
        return urlsplit(self.target).path

    @property
    def url(self) -> str:
        """Where it would have gone."""
        return f"https://{self.host}{self.target}"

    @cached_property
    def content(self) -> Any:
        """The body as a person reads it: JSON, form fields, text, or base64 of what is neither."""
        try:
            text = self.body.decode()
        except UnicodeDecodeError:
            return base64.b64encode(self.body).decode()
        return self._form(text) if self._is_form else _json(text)

    @cached_property
    def document(self) -> Document:
        """The content where it is an object, else nothing."""
        return self.content if isinstance(self.content, dict) else {}

    @cached_property
    def key(self) -> str:
        """64 hexadecimal digits that name this call."""
        again = self.headers.get("x-line-retry-key", "")
        parts = (self.method, self.url, again, self.body.hex())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def number(self) -> int:
        """The same name as a number of 15 digits."""
        return int(self.key[:12], 16) % 10**15 + 10**14

    @property
    def _is_form(self) -> bool:
        return "x-www-form-urlencoded" in self.headers.get("content-type", "")

    @staticmethod
    def _form(text: str) -> dict[str, Any]:
        fields = parse_qs(text, keep_blank_values=True)
        return {name: found[0] if len(found) == 1 else found for name, found in fields.items()}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def channel_of(said: Said) -> str:
    """Our id of whoever is called; the host where it is nobody we know."""
    if said.host == "graph.facebook.com":
        return "whatsapp" if "messaging_product" in said.document else "messenger"
    known = (name for pattern, name in _HOSTS.items() if fnmatch.fnmatch(said.host, pattern))
    return next(known, said.host)


def answer(said: Said) -> tuple[int, Any]:
    """Status and document of a call that went well; {} for what nobody described."""
    describe = _ANSWERS.get(channel_of(said))
    return describe(said) if describe else (200, {})


def _line(said: Said) -> tuple[int, Any]:
    messages = said.document.get("messages") or ()
    first = said.number
    sent = [{"id": str(first + n), "quoteToken": said.key[:22]} for n, _ in enumerate(messages)]
    return 200, {"sentMessages": sent}


def _whatsapp(said: Said) -> tuple[int, Any]:
    to = str(said.document.get("to") or said.document.get("recipient") or "")
    if said.document.get("status") == "read":
        return 200, {"success": True}
    ident = "wamid." + base64.b64encode(bytes.fromhex(said.key[:40])).decode()
    contacts = [{"input": to, "wa_id": to.lstrip("+")}]
    return 200, {
        "messaging_product": "whatsapp",
        "contacts": contacts,
        "messages": [{"id": ident, "message_status": "accepted"}],
    }


def _messenger(said: Said) -> tuple[int, Any]:
    recipient = said.document.get("recipient")
    to = recipient.get("id") if isinstance(recipient, dict) else None
    if said.method != "POST":
        return 200, {"id": str(said.number), "data": []}
    if not to:
        return 200, {"id": str(said.number)}
    return 200, {"recipient_id": to, "message_id": f"m_{said.key[:40]}"}


def _slack(said: Said) -> tuple[int, Any]:
    if said.host == "hooks.slack.com":
        return 200, "ok"
    ts = f"{said.number % 10**10:010d}.{said.number % 10**6:06d}"
    channel = str(said.document.get("channel", "C0LOCAL"))
    return 200, {"ok": True, "channel": channel, "ts": ts, "message": {"text": "", "ts": ts}}


def _easypost(said: Said) -> tuple[int, Any]:
    asked = said.document.get("tracker") or said.document
    kind, prefix = ("Shipment", "shp") if "/shipments" in said.path else ("Tracker", "trk")
    found = {"id": f"{prefix}_{said.key[:32]}", "object": kind, "mode": "test"}
    code = asked.get("tracking_code") if isinstance(asked, dict) else None
    return 201, {**found, "tracking_code": code or f"EZ{said.number}", "status": "unknown"}


def _shopify(said: Said) -> tuple[int, Any]:
    if said.path.endswith("/transactions.json") and said.method == "GET":
        return 200, {"transactions": []}
    return 200, {"data": {}} if said.path.endswith("/graphql.json") else {}


def _pagerduty(said: Said) -> tuple[int, Any]:
    key = said.document.get("dedup_key") or said.key[:32]
    return 202, {"status": "success", "message": "Event processed", "dedup_key": key}


def _zendesk(said: Said) -> tuple[int, Any]:
    return 201, {"ticket": {"id": said.number % 10**9, "status": "new"}}


_HOSTS = {
    "api.line.me": "line",
    "api-data.line.me": "line",
    "graph.instagram.com": "instagram",
    "*.slack.com": "slack",
    "slack.com": "slack",
    "api.easypost.com": "easypost",
    "*.myshopify.com": "shopify",
    "events.pagerduty.com": "pagerduty",
    "api.pagerduty.com": "pagerduty",
    "*.zendesk.com": "zendesk",
    "api.stripe.com": "stripe",
    "api-m.paypal.com": "paypal",
    "api-m.sandbox.paypal.com": "paypal",
    "api.weixin.qq.com": "wechat",
    "qyapi.weixin.qq.com": "wecom",
    "api.mch.weixin.qq.com": "wechatpay",
    "kapi.kakao.com": "kakao",
    "api.twitter.com": "x",
    "api.x.com": "x",
    "api.linkedin.com": "linkedin",
    "api.ebay.com": "ebay",
    "api.aftership.com": "aftership",
    "api.goshippo.com": "shippo",
    "api.17track.net": "track17",
}
_ANSWERS: Mapping[str, Callable[[Said], tuple[int, Any]]] = {
    "line": _line,
    "whatsapp": _whatsapp,
    "messenger": _messenger,
    "instagram": _messenger,
    "slack": _slack,
    "easypost": _easypost,
    "shopify": _shopify,
    "pagerduty": _pagerduty,
    "zendesk": _zendesk,
}
