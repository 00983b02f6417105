"""The content of a message of Messenger or Instagram, part by part; `unsupported` stays."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import words
from chalicelib.source import SHAPE_ERRORS, each, ident

Parts = tuple[Any, ...]


def content_of(message: Mapping[str, Any]) -> Parts:
    """Parts of a message; one that says nothing we can read is one `unsupported` part."""
    return tuple(_parts(message)) or (p.UnsupportedPart(type="message"),)


def _parts(message: Mapping[str, Any]) -> Iterator[Any]:
    if text := words(message.get("text")):
        yield p.Text(text=text)
    match message:
        case {"quick_reply": {"payload": str(payload)}}:
            yield p.Postback(payload=words(payload) or "", title=text)
        case {"sticker_id": sticker} if not message.get("attachments"):
            yield from _attached({"type": "sticker", "payload": {"sticker_id": sticker}})
    for attachment in each(message.get("attachments")):
        yield from _attached(attachment)
    match message:
        case {"reply_to": {"story": story}}:
            yield from _attached({"type": "story", "payload": story})


def _attached(attachment: Any) -> Parts:
    kind = attachment.get("type") if isinstance(attachment, dict) else "attachment"
    try:
        return _read(attachment, attachment.get("payload"))
    except SHAPE_ERRORS:
        return (p.UnsupportedPart(type=str(kind)[:2048]),)


def _read(attachment: Mapping[str, Any], payload: Any) -> Parts:  # noqa: C901 (a table)
    match attachment["type"], payload:
        case _, {"sticker_id": sticker}:
            return (p.Sticker(id=ident(sticker)),)
        case "image" | "video" | "audio" | "file" as media, {"url": url}:
            return (p.Media(media=media, url=url),)
        case "story_mention" | "ig_story" | "story", {}:
            return (p.Story(url=payload.get("url")),)  # it dies with the story, after a day
        case "location", {"coordinates": {"lat": north, "long": east}}:
            name = words(attachment.get("title"))
            return (p.Location(latitude=north, longitude=east, name=name),)
        case "template", {"product": {"elements": elements}}:
            return tuple(_product(element) for element in each(elements))
        case "fallback" | "reel" | "ig_reel" | "share" | "post" | "ig_post", _:
            return (_shared(attachment, payload),)
    raise ValueError("no such attachment")


def _product(element: Mapping[str, Any]) -> p.Media:
    """A catalogue product the customer asks about."""
    return p.Media(
        media="share",
        media_id=ident(element.get("retailer_id") or element["id"]),
        url=element.get("image_url"),
        name=words(element.get("title")),
    )


def _shared(attachment: Mapping[str, Any], payload: Any) -> p.Media:
    inner = payload if isinstance(payload, dict) else {}
    url = inner.get("url") or attachment.get("url")
    return p.Media(
        media="share", url=url, name=words(inner.get("title") or attachment.get("title"))
    )
