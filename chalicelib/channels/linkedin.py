"""LinkedIn: https://learn.microsoft.com/linkedin/shared/api-guide/webhook-validation

Notifications about an organisation's page. LinkedIn lets what members write be kept for 48 hours.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from chalicelib.channels._channel import Channel
from chalicelib.channels._linkedin_said import said, urn
from chalicelib.channels._meta import named
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import MalformedPayload, Unsupported
from chalicelib.jsons import text_of
from chalicelib.outbound import Call, Outcome, Outgoing, Response, judge
from chalicelib.signing import same, sha256_hex
from chalicelib.source import Answer, Fact, Item, Request, SignedSource, each, fingerprint, ident

_API = "https://api.linkedin.com/rest"
_VERSION = "202607"
_HEADER = "x-li-signature"
_PREFIX = "hmacsha256="
_CHALLENGE = re.compile(r"[A-Za-z0-9-]{1,128}")
_SAYS = (
    "comment.created comment.edited comment.deleted mention.created share.created reaction.added"
)


class LinkedIn(SignedSource, Channel):
    name = "linkedin"
    title = "LinkedIn"
    docs = "https://learn.microsoft.com/linkedin/shared/api-guide/webhook-validation"
    emits = frozenset(_SAYS.split())
    handshake_kind = "challengeCode"
    signature = "HMAC-SHA256 of hmacsha256= and the body, hex"
    signing_key = "client_secret"
    dedupe = "notificationId; of a lead its response and what was done"
    deadline = timedelta(seconds=3)
    retry_horizon = timedelta(hours=8)
    time_unit = "ms"
    means = ("free",)
    text_limit = 1250

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {_HEADER: sha256_hex(key, _PREFIX.encode() + request.body)}

    def matches(self, request: Request, key: str) -> bool:
        """The prefix is signed; or, as others read the same sentence, it stands in the header."""
        given = request.headers.get(_HEADER, "").lower()
        if given.startswith(_PREFIX):
            return same(given[len(_PREFIX) :], sha256_hex(key, request.body))
        return same(given, self.sign(request, key)[_HEADER])

    def handshake(self, request: Request, accounts: Accounts) -> Answer:
        """Proof that we hold the client secret, of the app that `applicationId` names.

        MalformedPayload for what is no code: bodies are signed with the same key, so whoever
        could have anything signed here could sign a delivery.
        """
        if request.method != "GET":
            return super().handshake(request, accounts)
        code, app = (request.query.get(key) or "" for key in ("challengeCode", "applicationId"))
        if not _CHALLENGE.fullmatch(code):
            raise MalformedPayload("linkedin: no challengeCode")
        holders = list(accounts.holding(self.signing_key, request.account))
        named_ = [one for one in holders if app and one.get("application_id") == app]
        proof = sha256_hex((named_ or holders)[0].one(self.signing_key), code.encode())
        document = {"challengeCode": code, "challengeResponse": proof}
        return Answer(text_of(document), content_type="application/json")

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        nobody, kind = request.account or DEFAULT, ident(document["type"])
        for element in list(each(document.get("notifications"))) or [document]:
            account, known = _names(element, nobody)
            envelope = {} if element is document else {"type": kind}
            yield Item(element, account, known, self.name, envelope)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        return said(item)

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """A comment: below the comment that ends the conversation's id, else below the post."""
        if message.means != "free":
            raise Unsupported(f"linkedin cannot say {message.means}")
        post, *thread = message.conversation_id.split("/")[2:]
        below = {"parentComment": thread[0]} if thread else {}
        text = message.text[: self.text_limit]
        words = {"actor": message.account, "object": post, **below, "message": {"text": text}}
        where = quote(thread[0] if thread else post, safe="()")
        headers = {
            "authorization": f"Bearer {credentials.one('access_token')}",
            "linkedin-version": credentials.get("api_version", _VERSION),
            "x-restli-protocol-version": "2.0.0",
        }
        return Call.json(f"{_API}/socialActions/{where}/comments", words, headers)

    def outcome(self, response: Response) -> Outcome:
        found, title = judge(response), str(response.json.get("message") or "")[:2048] or None
        match response.status:
            case 200 | 201:
                return Outcome("sent", response.headers.get("x-restli-id"))
            case 403:  # the member who authorised us administers the page no more
                return Outcome("stop", None, "403", title)
            case 429 if title and " DAY " in title:
                return Outcome("retry", None, "429", title, _until_midnight(response))
        return Outcome(found.verdict, None, found.code, title, found.retry_after_s)


def _names(element: Any, nobody: str) -> tuple[str, str]:
    """Account and id of one element."""
    match element:
        case {"notificationId": known, "organizationalEntity": organisation}:
            return urn(organisation) or nobody, named(known, fingerprint(element))
        case {"leadGenFormResponse": str(response), "leadAction": str(action)}:
            owner = element.get("owner")
            owners = [urn(one) for one in owner.values()] if isinstance(owner, dict) else []
            return next(filter(None, owners), nobody), f"{response}:{action}"
    return nobody, fingerprint(element)


def _until_midnight(response: Response) -> int | None:
    """Seconds from the answer's `Date` to the end of the day in UTC, when quotas begin anew."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return None
    tomorrow = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    return int((tomorrow - now).total_seconds())


channel = LinkedIn()
