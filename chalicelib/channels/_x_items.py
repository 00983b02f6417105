"""What X delivers, element by element: the Activity API and the Account Activity API before it.

https://docs.x.com/x-api/activity/event-payloads
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.channels._meta import named
from chalicelib.channels._x_people import id_of
from chalicelib.credentials import DEFAULT
from chalicelib.source import SHAPE_ERRORS, Item, Request, each, fingerprint, ident

_FRAME = {"for_user_id", "users", "apps", "user_has_blocked", "is_blocked_by"}
_ALONE = {"user_event", "replay_job_status"}
"""What is delivered for no user."""


def elements(document: Any, request: Request) -> Iterator[Item]:
    """Every event of a delivery, under the name of its list or its `event_type`."""
    nobody = request.account or DEFAULT
    if "data" in document:
        for activity in each(document["data"]):
            yield from _activity(activity, nobody)
        return
    account = named(document.get("for_user_id"), nobody)
    if "for_user_id" not in document and not _ALONE & document.keys():
        raise ValueError("for nobody")
    found = list(_listed(document, account, {}))
    yield from found or [_item(document, account, "nothing", {})]


def _activity(activity: Any, nobody: str) -> Iterator[Item]:
    """One activity. Its direct messages are lists, as the older API has them."""
    match activity:
        case {"event_type": str(kind), "payload": dict(payload)}:
            account = named(_whose(activity, payload), nobody)
            head = {key: activity.get(key) for key in ("event_uuid", "event_type", "includes")}
            if kind.startswith("dm."):
                found = list(_listed(payload, account, head))
                yield from found or [_item(payload, account, kind, head)]
            else:
                yield _item(payload, account, kind, head)
        case _:
            yield _item(activity, nobody, "activity", {})


def _whose(activity: Mapping[str, Any], payload: Mapping[str, Any]) -> Any:
    match activity:
        case {"filter": {"user_id": account}}:
            return account
    return payload.get("user_id")


def _listed(document: Mapping[str, Any], account: str, head: Mapping[str, Any]) -> Iterator[Item]:
    users = {"users": document["users"]} if "users" in document else {}
    for of, value in document.items():
        if of not in _FRAME:
            for element in each(value):
                yield _item(element, account, of, {**head, **users})


def _item(element: Any, account: str, of: str, around: Mapping[str, Any]) -> Item:
    envelope = {"for_user_id": account, "of": of, **around}
    return Item(element, account, _id(element, of, around), "x", envelope)


def _id(element: Any, of: str, around: Mapping[str, Any]) -> str:
    """The id of the thing said, which two subscriptions share; else that of its delivery."""
    try:
        return _own_id(element)
    except SHAPE_ERRORS:
        return named(around.get("event_uuid"), fingerprint(of, element))


def _own_id(element: Any) -> str:
    match element:
        case {"sender_id": reader, "last_read_event_id": last}:
            return f"{ident(reader)}:read:{ident(last)}"
        case {"source": source, "target": target, "created_timestamp": at}:
            return fingerprint(element.get("type"), id_of(source), id_of(target), at)
        case {"broadcast_id": _, "message_id": known}:
            return ident(known)
        case {"id_str": known} | {"status": {"id": known}} | {"id": known}:
            return ident(known)
    raise ValueError("no id of its own")
