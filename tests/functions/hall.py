"""A front door with everything around it in sight: the bus, the table, the log."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib import sources
from chalicelib.channels.line import Line
from chalicelib.credentials import Credentials
from chalicelib.errors import Unavailable
from chalicelib.functions._door import REFUSED, Door
from chalicelib.source import Answer, Request, SignedSource
from tests import samples
from tests.fakes import Clock, Keys, MemoryBus, MemoryTable
from tests.functions.logs import Records, kept
from tests.samples import NOW

SECRET = "the-very-secret"
LINE = {"line": {"default": {"channel_secret": SECRET, "channel_access_token": "t"}}}
VERIFY = {"app_secret": SECRET, "verify_token": "the-verify-token"}
DOCUMENT = {
    **LINE,
    "whatsapp": {"default": VERIFY},
    "messenger": {"default": VERIFY, "A2": {"access_token": "t"}},
    "shopify": {"default": {"access_token": "no client secret here"}},
}
TEXT = "my parcel is broken, call me"
USER = "U4af4980629aaaaaaaaaaaaaaaaaaaaaa"


class Passive(Line):
    """LINE, if it took its answer inside the response."""

    in_response = timedelta(seconds=5)

    def answer_with(self, text: str, request: Request, credentials: Credentials) -> Answer:
        return Answer(f"<say>{text}</say>", content_type="text/xml")


class Hall:
    """A door with everything around it in sight."""

    def __init__(self, document: Mapping[str, Any] = DOCUMENT, **instead: Any) -> None:
        self.bus, self.clock, self.table = MemoryBus(), Clock(NOW), MemoryTable()
        log, self.records = kept("door")
        parts: dict[str, Any] = {
            "find": sources.get,
            "keys": Keys(document),
            "bus": self.bus,
            "log": log,
            "table": lambda: self.table,
            "now": self.clock,
            "pause": lambda seconds: self.clock.forward(seconds=seconds),
            "fetch": refuse,
        }
        self.door = Door(**{**parts, **instead})

    def answer(self, name: str, request: Request) -> Answer:
        return self.door.answer(name, request)

    def refused(self, name: str, request: Request, status: int) -> None:
        """The constant answer, nothing on the bus, and one line with ids only."""
        told = self.answer(name, request)
        assert told == Answer(REFUSED.get(status, "try again later"), status)
        assert list(self.bus) == [] and self.table.items == {}
        [line] = self.records.found
        assert line.keys() <= ALLOWED and line["level"] == "WARNING" and line["status"] == status
        assert line["message"] == ("refused" if status < 500 else "unavailable")
        assert_nothing_private(self.records, request)
        self.records.found.clear()


ALLOWED = {"level", "message", "source", "error", "status", "method", "bytes", "at"}


def refuse(*_: Any) -> bytes:
    raise Unavailable("nothing is fetched here")


def assert_nothing_private(records: Records, request: Request) -> None:
    private = [SECRET, "the-verify-token", TEXT, USER, "replytoken", *request.headers.values()]
    private += [value for value in request.query.values() if value]
    for secret in private:
        assert not secret or secret not in records.text, secret
    assert all(len(json.dumps(line)) <= 500 for line in records.found)


def line_body(text: str = TEXT, ident: str = "W1") -> bytes:
    said = {
        "type": "message",
        "webhookEventId": ident,
        "timestamp": int(NOW.timestamp() * 1000),
        "source": {"type": "user", "userId": USER},
        "replyToken": "replytoken",
        "message": {"type": "text", "id": "1", "text": text},
    }
    return json.dumps({"destination": "Ubrand", "events": [said]}).encode()


def signed(body: bytes, name: str = "line", key: str = SECRET, **more: Any) -> Request:
    source = sources.get(name)
    assert isinstance(source, SignedSource)
    return samples.sign(source, Request(body=body, now=NOW, **more), key)
