"""Amazon's Selling Partner API notifications, from EventBridge or a queue of our own.

https://developer-docs.amazon.com/sp-api/docs/notifications-api. Most types, orders among them, come
to SQS only: the message is the notification itself. Older ones write `Payload`, newer `payload`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib.channels._aws import OverAws, camel
from chalicelib.channels._spapi_said import READERS, Notice
from chalicelib.credentials import DEFAULT
from chalicelib.jsons import read_json
from chalicelib.source import Fact, Item, NoWord, Request, fingerprint, ident, when_iso

_MARKS = {"NotificationType", "notificationType"}
_SELLER = ("sellerId", "merchantId", "accountId")


class AmazonSpApi(OverAws):
    name = "amazon_spapi"
    title = "Amazon SP-API"
    docs = "https://developer-docs.amazon.com/sp-api/docs/notification-type-values"
    emits = frozenset(
        [
            "order.placed",
            "order.changed",
            "order.paid",
            "order.fulfilled",
            "order.cancelled",
            "order.returned",
            "parcel.registered",
            "parcel.handed_over",
            "parcel.in_transit",
            "parcel.out_for_delivery",
            "parcel.attempt_failed",
            "parcel.available_for_pickup",
            "parcel.delivered",
            "parcel.exception",
            "parcel.returned",
        ]
    )
    signature = "none: EventBridge or the queue's policy vouches for it"
    dedupe = "NotificationId"
    aws_sources = ("aws.partner/sellingpartnerapi.amazon.com",)

    def owns(self, envelope: Mapping[str, Any]) -> bool:
        """Also a queue's message, which names no source."""
        return super().owns(envelope) or bool(_MARKS & envelope.keys())

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        for notification in _notifications(document):
            told = camel(notification)
            yield Item(notification, _seller(told), _id(told), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        told = camel(item.value)
        kind = str(told.get("notificationType") or "message that is no notification")[:100]
        if not (reader := READERS.get(kind)):
            raise NoWord(f"amazon_spapi {kind}")
        yield from reader(Notice(item, _payload(told), when_iso(told.get("eventTime"))))


def _notifications(document: Any) -> Iterator[Any]:
    """The one in an event or a message; those of a whole batch that a queue was handed."""
    match document:
        case {"Records": list(records)}:
            yield from (_message(record) for record in records)
        case {"detail": detail}:
            yield detail
        case _:
            yield document


def _message(record: Any) -> Any:
    """A record's notification; the record itself where it holds none (Amazon's test messages)."""
    try:
        return read_json(record["body"].encode())
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return record


def _payload(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the payload holds, also where it lies in one more object named after its type."""
    payload: Mapping[str, Any] = told["payload"]
    nested = [payload[key] for key in payload if key.lower().endswith("notification")]
    return next((one for one in nested if isinstance(one, dict)), payload)


def _seller(told: Any) -> str:
    if not isinstance(told, dict) or not isinstance(told.get("payload"), dict):
        return DEFAULT
    said = _payload(told)
    partner = said.get("sellingPartnerMetadata")
    named = [said.get(key) for key in _SELLER]
    named += [partner.get("sellingPartnerId")] if isinstance(partner, dict) else []
    return next((name for name in named if name and isinstance(name, str)), DEFAULT)


def _id(told: Any) -> str:
    metadata = told.get("notificationMetadata") if isinstance(told, dict) else None
    known = metadata.get("notificationId") if isinstance(metadata, dict) else None
    return ident(known) if known else fingerprint(told)


channel = AmazonSpApi()
