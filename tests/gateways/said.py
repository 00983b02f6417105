"""Facts to send: as small as they may be, or of the size that a test needs."""

import json
from datetime import UTC, datetime
from typing import Any

from chalicelib import payloads as p
from chalicelib.events import Event, event_id, subject_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANN = p.Identity(channel="line", scope="U-brand", subject="U-ann")


def message(name: str = "m-1", text: str = "hello", now: datetime = NOW, **more: Any) -> Event:
    """What Ann writes on LINE."""
    data = p.Message(
        channel="line",
        account="U-brand",
        message_id=name,
        conversation_id="line/U-brand/U-ann",
        author=p.Author(kind="customer", identity=ANN),
        content=(p.Text(text=text),),
        **{"raw": json.dumps({"id": name}), **more},
    )
    return fact("message.received", name, data, now)


def fact(type: str, name: str, data: Any, now: datetime = NOW) -> Event:
    """A platform's fact, named as the front door names it."""
    ident = event_id(data.channel, data.account, name, 0, type)
    return Event(
        id=ident,
        type=type,
        source=f"/channels/{p.path(data.channel, data.account)}",
        subject=subject_of(data),
        time=now,
        recordedtime=now,
        data=data,
        correlationid=ident,
    )
