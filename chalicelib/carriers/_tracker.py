"""What trackers share: their newest scan, the day they promise, and our mark on what we follow."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from chalicelib.errors import Unsupported
from chalicelib.outbound import Shipment
from chalicelib.payloads import OrderRef, path
from chalicelib.source import when_iso

_MARK = re.compile(r"order/([^/]+)/([^/]+)")
_LONGEST_MARK = 100
"""What Shippo and 17track take as a reference."""


def followed(shipment: Shipment, name: str) -> str:
    """The number to follow; Unsupported for what an API that only tracks cannot do."""
    if shipment.action != "ship":
        raise Unsupported(f"{name} cannot {shipment.action}: it only follows parcels")
    if not shipment.tracking_number:
        raise Unsupported(f"{name} follows nothing without a tracking number")
    return shipment.tracking_number


def mark(shipment: Shipment) -> str | None:
    """The order's own subject, for the vendor to say again with each scan; None if too long."""
    text = f"order/{path(shipment.shop, shipment.order_id)}"
    return text if len(text) <= _LONGEST_MARK else None


def marked(text: Any) -> tuple[OrderRef, ...]:
    """The order in a reference that `mark` made; any other reference names none of ours."""
    found = _MARK.fullmatch(text) if isinstance(text, str) else None
    if not found:
        return ()
    shop, order_id = (unquote(part) for part in found.groups())
    return (OrderRef(shop=shop, order_id=order_id),)


def newest(details: Iterable[Any], time: Callable[[Any], Any]) -> Any:
    """The detail that is latest by its own clock, of two at once the later in the list; or None.

    A time without zone is compared as if it were UTC: good enough to order scans, not to tell.
    """
    clocks = [(_clock(time(detail)), n, detail) for n, detail in enumerate(details)]
    timed = [(at, n, detail) for at, n, detail in clocks if at]
    return max(timed, key=lambda one: one[:2])[2] if timed else None


def promised(value: Any, clock: str = "23:59:59") -> datetime | None:
    """A promised moment; a bare date is kept until the end of that day, in UTC."""
    return when_iso(value) or when_iso(f"{value}T{clock}Z") or when_iso(f"{value}Z")


def _clock(text: Any) -> datetime | None:
    return when_iso(text) or when_iso(f"{text}Z")
