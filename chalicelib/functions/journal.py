"""The log: everything that happened, an item an event, by person, order, parcel or case."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent
from chalice.app import Blueprint

from chalicelib import wiring
from chalicelib.errors import HubError
from chalicelib.events import Event, iso
from chalicelib.functions._facts import key
from chalicelib.functions._ports import Table
from chalicelib.functions._shell import decode
from chalicelib.source import SHAPE_ERRORS

bp = Blueprint(__name__)
LONGEST_TEXT = 300
KEPT = timedelta(days=730)
_TOLD = (
    "channel account message_id conversation_id direction visibility status milestone"
    " occasion order_number shop order_id tracking_number carrier amount total currency"
    " assurance intent complaint severity case_id state reason text_key audience via action"
    " result payment_id"
).split()


@dataclass(frozen=True)
class Journal:
    """Writes a batch in few calls. Emits nothing."""

    table: Table

    def __call__(self, events: Iterable[Event]) -> None:
        items = {(i["pk"], i["sk"]): i for i in map(entry, events)}
        self.table.put_all(list(items.values()))


def entry(event: Event) -> dict[str, Any]:
    """At most 1 KB, without `raw`; the same event is the same item."""
    return {
        "pk": key("LOG", event.subject),
        "sk": f"{iso(event.effective)}#{event.id}",
        "type": event.type,
        "id": event.id,
        "corr": event.correlationid[:200],
        **({"cause": event.causationid} if event.causationid else {}),
        **_gist(event),
        "expires": int((event.recordedtime + KEPT).timestamp()),
    }


def _gist(event: Event) -> dict[str, Any]:
    data = event.data
    told = {name: getattr(data, name, None) for name in _TOLD}
    gist = {name: _short(value) for name, value in told.items() if value not in (None, "")}
    if text := getattr(data, "text", None):
        gist["text"] = _cut(text, LONGEST_TEXT)
    return gist


def _short(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    return _cut(str(value), 128)


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


@bp.lambda_function(name="journal")
def journal(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: up to a hundred records; when the table refuses, all of them come again."""
    events, failed = _decoded(batch)
    try:
        Journal(wiring.table())(events)
    except HubError:
        failed = [record.message_id for record in SQSEvent(batch).records]
    return {"batchItemFailures": [{"itemIdentifier": ident} for ident in failed]}


def _decoded(batch: dict[str, Any]) -> tuple[list[Event], list[str]]:
    events, failed = [], []
    for record in SQSEvent(batch).records:
        try:
            events.append(decode(record.json_body))
        except SHAPE_ERRORS:
            failed.append(record.message_id)
    return events, failed
