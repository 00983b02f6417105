"""What is said in public on Instagram: comments, also on ads and live videos, and mentions.

https://developers.facebook.com/docs/graph-api/webhooks/reference/instagram
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import BUSINESS, person, words
from chalicelib.source import SHAPE_ERRORS, Fact, Item, NoWord, Request, fingerprint, ident, when

MENTION = "mention"
"""In the id of a conversation: it is answered by another call than a comment."""


def public_id(change: Any, time: Any) -> str:
    """The comment, or of a mention the medium and the comment; a repeat has the same."""
    try:
        match change:
            case {"field": "comments" | "live_comments", "value": dict(value)}:
                return _comment_id(value)
            case {"field": "mentions", "value": {"media_id": media} as value}:
                return f"{ident(media)}:{value.get('comment_id') or ''}"
    except SHAPE_ERRORS:
        pass
    return fingerprint(change, time)


def said_in_public(item: Item, request: Request) -> Iterable[Fact]:
    """The facts of one change; NoWord for insights of stories, and settings."""
    match item.value:
        case {"field": str(field), "value": dict(value)} if field in _KINDS:
            return _KINDS[field](item, value)
        case {"field": str(field)}:
            raise NoWord(f"instagram {field}"[:2048])
    raise NoWord("unexpected shape")


def _commented(item: Item, value: Mapping[str, Any]) -> Iterator[Fact]:
    """A comment. Instagram says no time of it, only when it told us."""
    known, parent = _comment_id(value), value.get("parent_id")
    thread = ident(parent) if parent else known  # answers go to the top of a thread
    post = ident(_media(value) or thread)
    text, own = words(value.get("text")), _own(item, value)
    data = p.Message(
        **item.said,
        message_id=known,
        conversation_id=f"instagram/{item.account}/{post}/{thread}",
        direction="out" if own else "in",
        visibility="public",
        author=BUSINESS if own else _author(item, value),
        content=(p.Text(text=text),) if text else (p.UnsupportedPart(type="comment"),),
        reply_to=thread if parent else None,
        public=p.PublicPost(post_id=post),
    )
    yield Fact("comment.created", data, when(item.envelope.get("time")))


def _mentioned(item: Item, value: Mapping[str, Any]) -> Iterator[Fact]:
    """A mention is two ids; who spoke, and what, Instagram tells only who asks."""
    media, comment = ident(value["media_id"]), value.get("comment_id")
    where = [media, ident(comment)] if comment else [media]
    data = p.Message(
        **item.said,
        message_id=where[-1],
        conversation_id="/".join(("instagram", item.account, MENTION, *where)),
        visibility="public",
        author=p.Author(kind="customer"),
        content=(p.UnsupportedPart(type="mention"),),
        public=p.PublicPost(post_id=media),
    )
    yield Fact("mention.created", data, when(item.envelope.get("time")))


_KINDS: Mapping[str, Callable[[Item, Mapping[str, Any]], Iterable[Fact]]] = {
    "comments": _commented,
    "live_comments": _commented,
    "mentions": _mentioned,
}


def _comment_id(value: Mapping[str, Any]) -> str:
    """`id`, which Facebook Login's documentation calls `comment_id`."""
    return ident(value.get("id") or value.get("comment_id"))


def _media(value: Mapping[str, Any]) -> Any:
    match value:
        case {"media": {"id": known}}:
            return known
    return None


def _from(value: Mapping[str, Any]) -> Mapping[str, Any]:
    author = value.get("from")
    return author if isinstance(author, dict) else {}


def _own(item: Item, value: Mapping[str, Any]) -> bool:
    author = _from(value)
    return bool(author.get("self_ig_scoped_id")) or str(author.get("id")) == item.account


def _author(item: Item, value: Mapping[str, Any]) -> p.Author:
    author = _from(value)
    known, name = author.get("id"), words(author.get("username"))
    identity = person("instagram", item.account, ident(known)) if known else None
    return p.Author(kind="customer", identity=identity, display_name=name)
