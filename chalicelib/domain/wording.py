"""What customers are told, by key. Templates on platforms bear the key with `_` for `.`."""

from collections.abc import Mapping
from string import Formatter

_ENGLISH: Mapping[str, str] = {
    "order.confirmed": "Thank you! We have your order {order_number}, {total} {currency}.",
    "order.paid": "We have received your payment for order {order_number}.",
    "order.shipped": "Good news: order {order_number} is on its way. Track it: {tracking}",
    "order.out_for_delivery": "Order {order_number} is out for delivery today.",
    "order.ready_for_pickup": "Order {order_number} is ready for you to pick up.",
    "order.delivered": "Order {order_number} has been delivered. Enjoy!",
    "order.attempt_failed": "The courier missed you with order {order_number} and will try again.",
    "order.exception": "Something went wrong with the parcel of order {order_number}. "
    "We are on it and will come back to you.",
    "order.refunded": "We have refunded {amount} {currency} for order {order_number}.",
    "order.cancelled": "Order {order_number} has been cancelled.",
    "order.returned": "We have your return of order {order_number}.",
    "case.acknowledged": "We are sorry about this. A person has your case {case_id} and will "
    "answer you here.",
}


def say(key: str, params: Mapping[str, str], lang: str | None = None) -> str:
    """The sentence of `key` with its parameters; KeyError for a key nobody wrote."""
    return _ENGLISH[key].format(**{name: params.get(name, "") for name in fields(key)}).strip()


def fields(key: str) -> tuple[str, ...]:
    """The parameters of a sentence, in the order in which it (and its template) names them."""
    return tuple(name for _, name, _, _ in Formatter().parse(_ENGLISH[key]) if name)


def template_name(key: str) -> str:
    """What the approved template of a sentence is called on the platform."""
    return key.replace(".", "_")


def keys() -> tuple[str, ...]:
    """Every sentence there is."""
    return tuple(_ENGLISH)
