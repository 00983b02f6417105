"""What must be as if nothing had gone wrong, and what a desk must hear where nobody can know."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from chalicelib import payloads as p
from chalicelib.events import Event
from tests.chaos.hub import Hub
from tests.chaos.outside import Item

_OF_THE_MOMENT = frozenset(
    "expires send_at fresh_until until ended_at owner attempts gsi1sk means token_until"
    " token token_taken_by event body message_id".split()
)
"""When it was done, by whom, at which attempt: that may differ. What was done may not."""
_ABOUT_CASES = ("CASE#", "OUTBOX#case/", "SENT#")


def picture(hub: Hub) -> dict[str, Any]:
    """The whole table but for times; every fact by name; what each platform accepted."""
    rows = hub.table.items.items()
    waiting = [(name, record.body) for name, queue in hub.queues.items() for record in queue]
    return {
        "waiting": Counter([*waiting, *(post.request.body for post in hub.posts)]),
        "rows": {place: _stable(item) for place, item in rows if not _is_log(place)},
        "log": {(*place, item["type"]) for place, item in rows if _is_log(place)},
        "facts": {(event.type, event.id) for event in hub.bus},
        "outside": {item: len(heard) for item, heard in _accepted(hub)},
    }


def _stable(item: dict[str, Any]) -> dict[str, Any]:
    """Items are replaced, never changed; so what was said of one holds."""
    if id(item) not in _known:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        _known[id(item)] = (item, _without_the_moment(item))
    return _known[id(item)][1]


_MOST_KNOWN = 10_000
_known: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}


def _without_the_moment(item: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if name not in _OF_THE_MOMENT}
    if "event" in item:
        said = json.loads(item["event"])
        kept["event"] = (said["id"], said["time"], json.dumps(said["data"], sort_keys=True))
    if "body" in item:
        kept["body"] = {**json.loads(item["body"]), "at": ""}
    return kept


def _is_log(place: Item) -> bool:
    return place[0].startswith("LOG#")


def _accepted(hub: Hub) -> Iterator[tuple[Item, list[Any]]]:
    for item, heard in hub.platforms.heard.items():
        yield item, [each for each in heard if each.fresh]


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What is not as expected, each in a line."""
    wrong = []
    for name, those in expected.items():
        these = found[name]
        wrong += [f"{name}: gone: {each}" for each in those if each not in these]
        wrong += [f"{name}: new: {each}" for each in these if each not in those]
        if isinstance(those, dict):
            wrong += [
                f"{name}: {k}: {these[k]} is not {those[k]}"
                for k in those
                if k in these and these[k] != those[k]
            ]
    return wrong


def apart_from(seen: dict[str, Any], lost: set[Item]) -> dict[str, Any]:
    """Without what an unknown end changes: the item itself, and the cases that hear of it."""
    rows = {
        place: row
        for place, row in seen["rows"].items()
        if place not in lost and not place[0].startswith(_ABOUT_CASES)
    }
    told = ("order.", "parcel.", "payment.", "message.received", "message.classified")
    facts = {fact for fact in seen["facts"] if fact[0].startswith(told)}
    return {"rows": rows, "facts": facts}


def unsaid(hub: Hub) -> list[str]:
    """Facts that are not in the log, and the other way round."""
    logged = {i["id"] for place, i in hub.table.items.items() if _is_log(place)}
    return sorted(logged ^ {event.id for event in hub.bus})


def said_twice(hub: Hub) -> list[str]:
    """Calls that their platform does not forgive."""
    wrong = []
    for item, heard in hub.platforms.heard.items():
        keys, fresh = {each.key for each in heard}, [each for each in heard if each.fresh]
        repeatable = {each.resend for each in heard} == {"keyed"}
        if len(keys) > 1 or len(fresh) > 1 or (len(heard) > 1 and not repeatable):
            wrong.append(f"{item}: {heard}")
    return wrong


def given_up(hub: Hub) -> set[Item]:
    """Items of which nobody knows how their call ended."""
    rows = hub.table.items.items()
    return {place for place, i in rows if i.get("state") == "failed" and i["code"] == "unknown"}


def failure_of(hub: Hub, item: Item) -> Event:
    """The `message.failed` that says so."""
    key = hub.table.items[item]["key"]
    found = [e for e in hub.bus if isinstance(e.data, p.Status) and e.data.outbox == key]
    [failed] = {e.id: e for e in found if e.type == "message.failed"}.values()
    return failed


def told_of(hub: Hub, failed: Event) -> list[Item]:
    """What desks were told because of it."""
    plans = (i for i in hub.table.items.items() if i[1].get("audience") == "desk")
    told = [place for place, item in plans if item["cause"][0] == failed.id]
    return [place for place in told if hub.platforms.heard.get(place)]
