"""CloudEvents 1.0 over HTTP: https://github.com/cloudevents/spec (http-webhook, HTTP binding)

Structured, batched or binary. An event of one of our own types, with our own payload as its data,
is that fact; any other is kept with its reason.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from chalicelib.channels._own_words import OwnWords
from chalicelib.credentials import DEFAULT, Accounts
from chalicelib.errors import MalformedPayload, WrongVerifyToken
from chalicelib.jsons import read_json, text_of
from chalicelib.signing import same
from chalicelib.source import Answer, Fact, Item, NoWord, Request, fingerprint, when_iso

_ORIGIN = re.compile(r"[A-Za-z0-9._:-]{1,253}", re.ASCII)
_MOST_PER_MINUTE = 6000
_REQUIRED = ("id", "source", "specversion", "type")


class CloudEvents(OwnWords):
    name = "cloudevents"
    title = "CloudEvents"
    docs = "https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md"
    handshake_kind = "WebHook-Request-Origin"
    signature = "a bearer token, or access_token in the query; the body is not signed"
    signing_key = "token"
    signs_body: ClassVar[bool] = False
    dedupe = "source and id"
    retry_horizon = timedelta(days=1)

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {key}"}

    def matches(self, request: Request, key: str) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = request.query.get("access_token", "")
        return same(token, key)

    def handshake(self, request: Request, accounts: Accounts) -> Answer:
        """Abuse protection: who may send, and how many a minute.

        Anyone may, unless accounts name `allowed_origins`: a delivery needs its token all the same.
        MalformedPayload without an origin; WrongVerifyToken for one that is not allowed.
        """
        if request.method != "OPTIONS":
            return super().handshake(request, accounts)
        origin = request.headers.get("webhook-request-origin", "")
        if not _ORIGIN.fullmatch(origin):
            raise MalformedPayload("cloudevents: no origin")
        allowed = _allowed(accounts, request.account, self.signing_key)
        if allowed and origin not in allowed:
            raise WrongVerifyToken(self.name)
        granted = {
            "Allow": "POST, OPTIONS",
            "WebHook-Allowed-Origin": origin,
            "WebHook-Allowed-Rate": _rate(request.headers.get("webhook-request-rate", "")),
        }
        return Answer("", headers=granted)

    def document(self, request: Request) -> Any:
        return _binary(request) if _is_binary(request) else request.json

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        for event in document if isinstance(document, list) else [document]:
            yield Item(event, _account(event, request), _id(event), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        event = {key: value for key, value in item.value.items() if value is not None}
        if not all(isinstance(event.get(key), str) and event[key] for key in _REQUIRED):
            raise NoWord(f"no cloudevent: {', '.join(_REQUIRED)} are required")
        if event["specversion"] != "1.0":
            raise NoWord(f"cloudevents of version {event['specversion'][:100]}")
        yield from self.said(event["type"], _data(event), item, when_iso(event.get("time")))


def _allowed(accounts: Accounts, account: str | None, key: str) -> set[str]:
    holders = accounts.holding(key, account)
    named = [holder for holder in holders if holder.values.get("allowed_origins")]
    return {origin for holder in named for origin in holder.live("allowed_origins")}


def _rate(asked: str) -> str:
    wanted = int(asked) if re.fullmatch(r"[1-9][0-9]{0,8}", asked, re.ASCII) else _MOST_PER_MINUTE
    return str(min(wanted, _MOST_PER_MINUTE))


def _is_binary(request: Request) -> bool:
    """The content type decides; a proxy may have put `ce-` headers beside a structured event."""
    structured = _media(request).startswith("application/cloudevents")
    return not structured and "ce-specversion" in request.headers


def _binary(request: Request) -> dict[str, Any]:
    """The event whose attributes are headers, as the structured mode would say it."""
    named = {key[3:]: value for key, value in request.headers.items() if key.startswith("ce-")}
    event: dict[str, Any] = {key: _decoded(value) for key, value in named.items()}
    if content_type := request.headers.get("content-type"):
        event["datacontenttype"] = content_type
    if not request.body:
        return event
    if _is_json(_media(request)):
        return {**event, "data": request.json}
    try:
        return {**event, "data": request.body.decode()}
    except UnicodeDecodeError:
        return {**event, "data_base64": b64encode(request.body).decode()}


def _decoded(value: str) -> str:
    """Percent-encoded, and perhaps quoted (http-protocol-binding 3.1.3.2)."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return unquote(value)


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(media: str) -> bool:
    return media in ("", "application/json", "text/json") or media.endswith("+json")


def _data(event: Mapping[str, Any]) -> Any:
    if "data_base64" not in event:
        return event.get("data")
    content = b64decode(event["data_base64"], validate=True)
    media = str(event.get("datacontenttype", "")).partition(";")[0].strip().lower()
    try:
        return read_json(content) if _is_json(media) else content
    except RecursionError as error:
        raise NoWord("cloudevents data nested too deeply") from error


def _account(event: Any, request: Request) -> str:
    data = event.get("data") if isinstance(event, dict) else None
    told = data.get("account") if isinstance(data, dict) else None
    return str(request.account or told or DEFAULT)


def _id(event: Any) -> str:
    """What CloudEvents is unique by; both together, as neither is alone."""
    if isinstance(event, dict) and event.get("source") and event.get("id"):
        return text_of([event["source"], event["id"]])
    return fingerprint(event)


channel = CloudEvents()
