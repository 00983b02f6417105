"""Platforms that hold what they promise: a repeated key is dropped, a trace comes back."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.outbound import Call, Response
from chalicelib.source import Request
from parley.platforms import Said, answer, channel_of
from parley.recorder import Canned
from tests.fakes import NOON, Outside

Item = tuple[str, str]


@dataclass(frozen=True)
class Heard:
    """A call that arrived. `key` is what its platform knows it by; `fresh` unless it was known."""

    resend: str
    key: str
    fresh: bool


class Platforms(Outside):
    """What every outbox item came to, outside; and statuses that WhatsApp will post of it."""

    def __init__(self, answers: Iterable[Mapping[str, Any]]) -> None:
        super().__init__(self._answered)
        self.canned = [Canned(**each) for each in answers]
        self.heard: dict[Item, list[Heard]] = defaultdict(list)
        self.item: Item = ("", "")
        """Whose call it is."""
        self.trace: Callable[[str, str], None] = lambda wamid, trace: None

    def fork(self) -> "Platforms":
        twin = Platforms(())
        twin.canned = self.canned
        twin.heard.update({item: list(heard) for item, heard in self.heard.items()})
        return twin

    def _answered(self, call: Call) -> Response:
        host, _, target = call.url.removeprefix("https://").partition("/")
        said = Said(call.method, host, f"/{target}", dict(call.headers), call.body)
        if found := next((c for c in self.canned if c.fits(said)), None):
            return Response(found.status, {}, _bytes(found.body))
        if said.method == "GET":
            return _plain(said)
        return self._told(said)

    def _told(self, said: Said) -> Response:
        resend, key = _named(said)
        fresh = all(key != h.key for each in self.heard.values() for h in each)
        self.heard[self.item].append(Heard(resend, key, fresh))
        if resend == "keyed" and not fresh:
            return Response(409, {}, b'{"message": "The retry key is already accepted"}')
        if resend == "traced":
            self.trace(answer(said)[1]["messages"][0]["id"], key)
        return _plain(said)


def _named(said: Said) -> tuple[str, str]:
    """(what may be done when its end is unknown, its name): by the platforms' documentation."""
    headers, document = said.headers, said.document
    match channel_of(said):
        case "line" if said.path.endswith("/push"):
            return "keyed", headers["x-line-retry-key"]
        case "line":
            return "never", document["replyToken"]
        case "whatsapp":
            return "traced", document["biz_opaque_callback_data"]
        case channel:
            return "never", f"{channel} {said.body.decode()}"


def status(wamid: str, trace: str) -> Request:
    """WhatsApp's first word about a message; of one moment, so that one fact stays one fact."""
    when = str(int(NOON.timestamp()))
    told = {"id": wamid, "status": "sent", "timestamp": when, "recipient_id": "15035550000"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15035550100", "phone_number_id": "106540352242922"},
        "statuses": [{**told, "biz_opaque_callback_data": trace}],
    }
    changes = [{"field": "messages", "value": value}]
    entry = [{"id": "102290129340398", "changes": changes}]
    document = {"object": "whatsapp_business_account", "entry": entry}
    return Request(body=json.dumps(document).encode(), headers={})


def _plain(said: Said) -> Response:
    code, document = answer(said)
    return Response(code, {}, _bytes(document))


def _bytes(document: Any) -> bytes:
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()
