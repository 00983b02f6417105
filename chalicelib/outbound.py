"""What we say to the outside: described here, sent by `sender` alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from chalicelib.jsons import read_json, text_of
from chalicelib.payloads import Identity

Means = Literal["free", "template", "token", "response"]
Resend = Literal["keyed", "traced", "never"]
"""What may be done after a call whose end nobody knows (DESIGN §1.5).

keyed: again, with the same key; traced: wait for the trace that comes back, then a desk decides;
never: a desk is told.
"""
Verdict = Literal["sent", "retry", "template", "permanent", "reauthorise", "stop", "unknown"]
"""unknown: it failed over there and may have been done all the same; `resend` decides."""


@dataclass(frozen=True)
class Call:
    """An HTTP request somebody should make."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""

    @classmethod
    def json(
        cls, url: str, document: Any, headers: Mapping[str, str], method: str = "POST"
    ) -> "Call":
        """A call with a JSON body."""
        body = text_of(document).encode()
        return cls(method, url, {"content-type": "application/json", **headers}, body)


@dataclass(frozen=True)
class Response:
    """What came back. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def json(self) -> Any:
        """The body, or {} where it is not a JSON object."""
        try:
            document = read_json(self.body)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


@dataclass(frozen=True)
class Outcome:
    """What an answer means for us."""

    verdict: Verdict
    message_id: str | None = None
    code: str | None = None
    title: str | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True)
class Template:
    """An approved template and its parameters, in order."""

    name: str
    params: tuple[str, ...] = ()
    lang: str = "en"


@dataclass(frozen=True)
class Outgoing:
    """One message to one customer. `key` names it for ever (retry key, trace)."""

    key: str
    to: Identity
    account: str
    conversation_id: str
    text: str
    means: Means = "free"
    template: Template | None = None
    token: str | None = None


@dataclass(frozen=True)
class Shipment:
    """What a shipper is asked, about one order."""

    key: str
    action: Literal["ship", "hold", "readdress", "return", "claim"]
    shop: str
    order_id: str
    order_number: str
    ship_to: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Notice:
    """What a desk is told about a case."""

    key: str
    case_id: str
    event: str
    title: str
    severity: int
    about: tuple[str, ...] = ()
    customer: str = ""
    due_at: datetime | None = None
    at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def judge(response: Response) -> Outcome:
    """The reading of a status that any HTTP API shares; adapters refine it."""
    status = response.status
    if 200 <= status < 300:
        return Outcome("sent")
    code = str(status)
    if status in (429, 503):
        return Outcome("retry", code=code, retry_after_s=retry_after(response))
    if status >= 500:
        return Outcome("unknown", code=code)
    if status in (401, 403):
        return Outcome("reauthorise", code=code)
    return Outcome("permanent", code=code)


def retry_after(response: Response) -> int | None:
    """Seconds of a `Retry-After` header, when it holds a number."""
    text = response.headers.get("retry-after", "")
    return int(text) if text.isdecimal() else None
