"""The content of a WhatsApp message, part by part. Nothing is dropped: `unsupported` stays."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import words
from chalicelib.money import money
from chalicelib.source import SHAPE_ERRORS, each, ident

Parts = tuple[Any, ...]
_KINDS = {"document": "file"}


def content_of(message: Mapping[str, Any]) -> Parts:
    """Parts of a message; a type or a shape nobody promised is one `unsupported` part."""
    kind = message["type"]
    try:
        return tuple(_PARTS[kind](message, kind))
    except SHAPE_ERRORS:
        return (p.UnsupportedPart(type=str(kind)[:2048]),)


def product_of(message: Mapping[str, Any]) -> Parts:
    """The catalogue product a question is about."""
    match message:
        case {"context": {"referred_product": {"product_retailer_id": str(sku)}}}:
            return (p.Media(media="share", media_id=sku[:2048]),)
    return ()


def _text(message: Mapping[str, Any], kind: str) -> Parts:
    return (_said(message["text"]["body"]),)


def _said(value: Any) -> p.Text:
    return p.Text(text=words(value))  # type: ignore[arg-type]  # no text is a ValidationError


def _media(message: Mapping[str, Any], kind: str) -> Iterator[Any]:
    media = message[kind]
    yield p.Media(
        media=_KINDS.get(kind, kind),  # type: ignore[arg-type]  # the table's own keys
        media_id=ident(media["id"]),
        mime=media.get("mime_type"),
        sha256=media.get("sha256"),
        name=words(media.get("filename")),
        url=media.get("url"),
    )
    if caption := media.get("caption"):
        yield _said(caption)


def _sticker(message: Mapping[str, Any], kind: str) -> Parts:
    return (p.Sticker(id=ident(message["sticker"]["id"])),)


def _location(message: Mapping[str, Any], kind: str) -> Parts:
    at = message["location"]
    name = words(at.get("name") or at.get("address"))
    return (p.Location(latitude=at["latitude"], longitude=at["longitude"], name=name),)


def _contacts(message: Mapping[str, Any], kind: str) -> Iterator[Any]:
    for card in each(message["contacts"]):
        yield p.Contact(
            name=words((card.get("name") or {}).get("formatted_name")),
            phones=tuple(phone["phone"] for phone in each(card.get("phones"))),
            emails=tuple(email["email"] for email in each(card.get("emails"))),
        )


def _button(message: Mapping[str, Any], kind: str) -> Parts:
    """The quick reply of a template: what the button says, and what it means."""
    button = message["button"]
    return _pressed(button["payload"], button["text"])


def _interactive(message: Mapping[str, Any], kind: str) -> Parts:
    match message["interactive"]:
        case (
            {"type": "button_reply", "button_reply": {"id": payload, "title": title}}
            | {"type": "list_reply", "list_reply": {"id": payload, "title": title}}
            | {"type": "nfm_reply", "nfm_reply": {"response_json": payload, "body": title}}
        ):
            return _pressed(payload, title)
        case {"type": str(how)}:
            return (p.UnsupportedPart(type=how),)
    raise ValueError("no interactive")


def _pressed(payload: Any, title: Any) -> Parts:
    button = p.Postback(payload=payload, title=words(title))
    return (p.Text(text=button.title), button) if button.title else (button,)


def _order(message: Mapping[str, Any], kind: str) -> Iterator[Any]:
    order = message["order"]
    yield p.OrderLines(
        catalog_id=order.get("catalog_id"),
        lines=tuple(_line(product) for product in each(order["product_items"])),
    )
    if note := order.get("text"):
        yield _said(note)


def _line(product: Mapping[str, Any]) -> p.Line:
    currency = product["currency"]
    return p.Line(
        sku=ident(product["product_retailer_id"]),
        quantity=product["quantity"],
        price=money(product["item_price"], currency),
        currency=currency,
    )


_PARTS: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "text": _text,
    **dict.fromkeys(("image", "video", "audio", "document"), _media),
    "sticker": _sticker,
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
}
