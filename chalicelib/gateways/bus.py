"""The bus: every fact is on it, or in the spill queue, or the caller hears Unavailable."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Unavailable
from chalicelib.events import Event, iso, subject_of
from chalicelib.payloads import Unmapped

ENTRIES = 10
"""PutEvents takes ten entries a call; SendMessageBatch too."""
ENTRY_BYTES = 200_000
"""Above this `data.raw` goes to S3; both services take 256 KiB a call."""
CALL_BYTES = 250_000
_DATAREF_BYTES = 2_000
_INT = 2**63
_TRIES = 3
_AWS = (BotoCoreError, ClientError)


class Claims(Protocol):
    """Where what is too large for the bus is kept."""

    def put(self, key: str, body: bytes) -> str:
        """Store under a key derived from the event; returns the reference."""


class Bus:
    """PutEvents with chunks, resends, the spill queue and the claim check (DESIGN §1.2)."""

    def __init__(
        self,
        events: Any,
        sqs: Any,
        claims: Claims,
        *,
        bus: str,
        spill_url: str,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events, self._sqs, self._claims = events, sqs, claims
        self._bus, self._spill_url, self._pause = bus, spill_url, pause

    def publish(self, events: Iterable[Event]) -> None:
        """Returns when every event is safe; Unavailable when one is not."""
        for chunk in _chunks(self._entry(event) for event in events):
            if left := self._put(chunk):
                self._spill(left)

    def forward(self, entries: Sequence[dict[str, Any]]) -> None:
        """Entries of the spill queue, back on their way; Unavailable when one is refused."""
        for chunk in _chunks({**entry, "EventBusName": self._bus} for entry in entries):
            if self._put(chunk):
                raise Unavailable("the bus refused a spilled entry")

    def _entry(self, event: Event) -> dict[str, Any]:
        detail = event.detail()
        if not _acceptable(detail):
            return self._entry(self._refused(event, detail))
        text = _text(detail)
        if _bytes(text) > ENTRY_BYTES:
            return self._entry(self._lightened(event, detail))
        return {
            "EventBusName": self._bus,
            "Source": "parley." + event.type.partition(".")[0],
            "DetailType": event.type,
            "Detail": text,
            "Time": iso(event.recordedtime),
            "Resources": [event.subject],
        }

    def _lightened(self, event: Event, detail: dict[str, Any]) -> Event:
        """The claim check: only `raw` leaves. What is too long without it is kept whole in S3."""
        rest = {name: value for name, value in detail["data"].items() if name != "raw"}
        if _bytes(_text({**detail, "data": rest})) > ENTRY_BYTES - _DATAREF_BYTES:
            return self._refused(event, detail)
        ref = self._claims.put(event.id, detail["data"]["raw"].encode())
        return Event.parse({**detail, "data": {**rest, "dataref": ref}})

    def _refused(self, event: Event, detail: dict[str, Any]) -> Event:
        """What AWS would refuse for ever must not become 503 for ever: it is kept whole in S3."""
        ref = self._claims.put(event.id, json.dumps(detail).encode())
        channel, account = (_plain(str(detail["data"].get(k, "-"))) for k in ("channel", "account"))
        why = "refused by the bus"
        data = Unmapped(channel=channel, account=account, dataref=ref, reason=why, item=event.id)
        told = event.cause.then("ingress.unmapped", data, "", now=event.recordedtime)
        return replace(
            told,
            subject=subject_of(data),
            source=_plain(event.source),
            correlationid=told.id,
            causationid=event.causationid,
            hops=event.hops,
        )

    def _put(self, chunk: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Resend what failed; returns the entries that still did after the last try."""
        for attempt in range(_TRIES):
            chunk = self._put_once(chunk)
            if not chunk:
                return []
            if attempt + 1 < _TRIES:
                self._pause(0.05 * 4**attempt)
        return chunk

    def _put_once(self, chunk: list[dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            answer = self._events.put_events(Entries=chunk)
        except _AWS:
            return chunk
        return [e for e, said in zip(chunk, answer["Entries"], strict=True) if "ErrorCode" in said]

    def _spill(self, entries: list[dict[str, Any]]) -> None:
        """Another failure domain than the bus; `intake` drains it."""
        batch = [{"Id": str(n), "MessageBody": json.dumps(e)} for n, e in enumerate(entries)]
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._spill_url, Entries=batch)
        except _AWS as error:
            raise Unavailable("bus and spill queue are down") from error
        if answer.get("Failed"):
            raise Unavailable("the spill queue refused an entry")


def _chunks(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        weight = len(json.dumps(entry))
        if chunk and (len(chunk) == ENTRIES or size + weight > CALL_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += weight
    if chunk:
        yield chunk


def _plain(text: str) -> str:
    return text[:200].encode("utf-8", "backslashreplace").decode()


def _bytes(text: str) -> int:
    return len(text.encode())


def _acceptable(value: Any) -> bool:
    """Whether EventBridge takes it: integers of 64 bits, and text that UTF-8 can carry."""
    if isinstance(value, dict):
        return all(_acceptable(v) for v in value.values())
    if isinstance(value, list):
        return all(map(_acceptable, value))
    if isinstance(value, str):
        return value.isascii() or _is_utf8(value)
    if isinstance(value, int):
        return -_INT <= value < _INT
    return True


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(detail: dict[str, Any]) -> str:
    return json.dumps(detail, ensure_ascii=False, separators=(",", ":"))


class S3Claims:
    """Claim checks in a bucket, one object an event, gone after 30 days."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def put(self, key: str, body: bytes) -> str:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=f"claims/{key}", Body=body)
        except _AWS as error:
            raise Unavailable("the claim bucket is down") from error
        return f"s3://{self._bucket}/claims/{key}"
