"""What payments of any provider share: the claim, and the order that a payment is for.

A provider of payments knows no shops: it carries one text of ours (`custom_id`, `attach`,
`metadata`). `<shop>/<order>` names both; a bare reference is an order of the provider's account.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from chalicelib import payloads as p
from chalicelib.errors import Unsupported
from chalicelib.events import Event

_WHOLE = re.compile(r"([a-z_]+:[^/\s]+)/(\S+)", re.ASCII)


def claimed(event: Event) -> p.Payment:
    """The payment that an event speaks of; Unsupported for an event that speaks of none."""
    if not isinstance(event.data, p.Payment):
        raise Unsupported(f"{event.type} is no payment")
    return event.data


def named(reference: Any, account: str) -> p.OrderRef | None:
    """`woocommerce:lamps.example/727` names its shop; `INV-7` is an order of `account`."""
    if type(reference) is not str or not reference:
        return None
    if whole := _WHOLE.fullmatch(reference):
        return p.OrderRef(shop=whole[1], order_id=whole[2])
    return p.OrderRef(shop=account, order_id=reference)


def noted(metadata: Any, account: str) -> p.OrderRef | None:
    """Of metadata: `order_id` with `shop`, or with the `site_url` that WooCommerce adds."""
    if not isinstance(metadata, Mapping) or not (order := metadata.get("order_id")):
        return None
    shop = metadata.get("shop") or _woocommerce(metadata.get("site_url")) or account
    if type(order) is not str or type(shop) is not str:
        return None
    return p.OrderRef(shop=shop, order_id=order)


def _woocommerce(site_url: Any) -> str | None:
    host = urlsplit(site_url).hostname if isinstance(site_url, str) else None
    return f"woocommerce:{host}" if host else None
