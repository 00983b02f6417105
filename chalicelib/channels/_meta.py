"""What every Meta platform shares: https://developers.facebook.com/docs/graph-api/webhooks"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import quote

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import MalformedPayload, WrongVerifyToken
from chalicelib.outbound import Call, Outcome, Response, Verdict, judge
from chalicelib.signing import same, sha256_hex
from chalicelib.source import (
    SHAPE_ERRORS,
    Answer,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    ident,
)

GRAPH = "https://graph.facebook.com/v25.0"
WINDOW = timedelta(hours=24)
_HEADER = "x-hub-signature-256"
_PREFIX = "sha256="
_SIGNED = len(_PREFIX) + 64
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,256}")
DASHBOARD = "0"
"""`entry.id` of what the developer dashboard's Test button posts."""

Ruling = tuple[Verdict, int | None]
"""What to do about an error code, and how many seconds to wait where Meta does not say."""


Read = Callable[[Item, Request], Iterable[Fact]]


class Meta(SignedSource, Channel):
    """One signature, one challenge, one shape of errors; tables say the rest."""

    handshake_kind = "hub.challenge"
    signature = "HMAC-SHA256 of the body, sha256= and hex"
    signing_key = "app_secret"
    codes: ClassVar[Mapping[int, Ruling]]
    """What `error.code` means."""
    subcodes: ClassVar[Mapping[int, Ruling]] = {}
    """What `error.error_subcode` means; it knows more than the code."""

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {_HEADER: _PREFIX + sha256_hex(key, request.body)}

    def matches(self, request: Request, key: str) -> bool:
        given = request.headers.get(_HEADER, "")
        if len(given) != _SIGNED or not given.startswith(_PREFIX):
            return False
        return same(given[len(_PREFIX) :].lower(), sha256_hex(key, request.body))

    def handshake(self, request: Request, accounts: Accounts) -> Answer:
        """The raw `hub.challenge`, to who knows a verify token.

        MalformedPayload without a parameter or with a challenge that is more than a word;
        WrongVerifyToken for another token or mode.
        """
        if request.method != "GET":
            return super().handshake(request, accounts)
        asked = [request.query.get(f"hub.{key}") for key in ("mode", "verify_token", "challenge")]
        mode, token, challenge = (value or "" for value in asked)
        if not (mode and token and _CHALLENGE.fullmatch(challenge)):
            raise MalformedPayload(f"{self.name}: no hub.*")
        holders = accounts.holding("verify_token", request.account)
        known = [same(token, live) for h in holders for live in h.live("verify_token")]
        if mode != "subscribe" or not any(known):
            raise WrongVerifyToken(self.name)
        return Answer(challenge)

    def outcome(self, response: Response) -> Outcome:
        """Meta's error table; a 2xx names the message, an unknown code is read by its status."""
        if 200 <= response.status < 300:
            return Outcome("sent", _sent(response.json))
        match response.json.get("error"):
            case {"code": int(code), **said}:
                return self._refused(response, code, said)
        return judge(response)

    def rule(self, code: int, said: Mapping[Any, Any]) -> Ruling | None:
        """What the tables say of an error; Meta's own `is_transient` overrides them."""
        sub = said.get("error_subcode")
        known = self.subcodes.get(sub) if isinstance(sub, int) else None
        known = known or self.codes.get(code)
        settled = known is not None and known[0] in ("retry", "unknown")
        if said.get("is_transient") is True and not settled:
            return ("retry", None)
        return known

    def _refused(self, response: Response, code: int, said: Mapping[Any, Any]) -> Outcome:
        by_status = judge(response)
        verdict, wait = self.rule(code, said) or (by_status.verdict, None)
        if verdict == "retry":
            wait = regain_access(response) or by_status.retry_after_s or wait
        title = str(said.get("error_user_title") or said.get("message") or "")[:2048]
        return Outcome(verdict, None, str(code), title, wait)


def post(path: str, document: Any, credentials: Credentials) -> Call:
    """A call of the Graph API; signed with the app secret too, where the account holds one."""
    token = credentials.one("access_token")
    proof = proof_of(token, credentials.get("app_secret"))
    url = f"{GRAPH}/{path}" + (f"?appsecret_proof={proof}" if proof else "")
    return Call.json(url, document, {"authorization": f"Bearer {token}"})


def proof_of(token: str, app_secret: str) -> str:
    """`appsecret_proof`: required of every call when an app demands it; empty without secret."""
    return sha256_hex(app_secret, token.encode()) if app_secret else ""


def segment(value: str) -> str:
    """An id as one part of a path, whatever is in it."""
    return quote(value, safe="")


def regain_access(response: Response) -> int | None:
    """Seconds of `X-Business-Use-Case-Usage`, which speaks of minutes; None when it says none."""
    usage = Response(200, body=response.headers.get("x-business-use-case-usage", "").encode()).json
    rows = [row for rows in usage.values() if isinstance(rows, list) for row in rows]
    waits = [row.get("estimated_time_to_regain_access") for row in rows if isinstance(row, dict)]
    return max((60 * wait for wait in waits if isinstance(wait, int)), default=0) or None


def _sent(document: Mapping[str, Any]) -> str | None:
    match document:
        case {"messages": [{"id": str(sent)}, *_]} | {"message_id": str(sent)} | {"id": str(sent)}:
            return sent
    return None


def tested(item: Item, request: Request, read: Read) -> Iterable[Fact]:
    """The facts of one item; what the dashboard's Test button posted is marked synthetic."""
    if item.envelope.get("id") != DASHBOARD:
        return read(item, request)
    try:
        return [_marked(item, fact) for fact in read(item, request)]
    except NoWord as error:
        return [_unmapped(item, str(error))]
    except SHAPE_ERRORS as error:  # a test may lack what every real one has
        return [_unmapped(item, f"dashboard test, unreadable: {type(error).__name__}")]


def _marked(item: Item, fact: Fact) -> Fact:
    if "synthetic" not in type(fact.data).model_fields:
        return _unmapped(item, f"dashboard test of {fact.type}")
    return Fact(fact.type, fact.data.model_copy(update={"synthetic": True}), fact.at)


def _unmapped(item: Item, reason: str) -> Fact:
    data = p.Unmapped(**item.said, reason=reason, item=item.id[:2048], synthetic=True)
    return Fact("ingress.unmapped", data)


@lru_cache(4096)
def person(channel: str, scope: str, subject: str, *aliases: str) -> p.Identity:
    """An identity; the same customer's next message finds it ready."""
    return p.Identity(channel=channel, scope=scope, subject=subject, aliases=aliases)


@lru_cache(4096)
def speaker(name: str | None, channel: str, scope: str, *names: str) -> p.Author:
    """A customer as the author of something, under the name they gave themselves."""
    return p.Author(kind="customer", identity=person(channel, scope, *names), display_name=name)


BUSINESS = p.Author(kind="business")


def window(at: datetime | None, now: datetime) -> datetime:
    """Until when the customer who spoke `at` may be answered freely."""
    return (min(at, now) if at else now) + WINDOW


def words(value: Any) -> str | None:
    """A platform's text, with what UTF-8 lacks (half an emoji) replaced; None for no text."""
    if not isinstance(value, str):
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def traced(value: Any) -> str | None:
    """Our outbox key where it comes back; None for what cannot be one."""
    return value if isinstance(value, str) and 0 < len(value) <= 512 else None


def named(value: Any, otherwise: str) -> str:
    """An asset's id as text, or `otherwise` where there is none."""
    try:
        return ident(value)
    except ValueError:
        return otherwise


def medium(code: str) -> Any:
    """How an entry code was met. No platform tells a scan from a tap, so the code says it:

    a code that begins with `qr` (`qr-box-42`) is only ever printed as a QR.
    """
    return "qr" if code[:2].lower() == "qr" else "link"
