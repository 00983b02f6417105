"""What a change of a Page says.

https://developers.facebook.com/docs/graph-api/webhooks/reference/page
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import BUSINESS, person, words
from chalicelib.source import Fact, Item, NoWord, Request, each, fingerprint, ident, when

_FIELDS = {"feed", "ratings", "mention"}
_VERBS: Mapping[Any, str] = {
    "add": "created",
    "edit": "edited",
    "edited": "edited",
    "remove": "deleted",
}
"""Page says `edit` of posts and `edited` of comments."""
_RECOMMENDED: Mapping[Any, bool] = {"POSITIVE": True, "NEGATIVE": False}


def change_id(change: Any, time: Any) -> str:
    """No change has an id: what it is about, who did what, when, and of an edit the new words."""
    match change:
        case {"field": field, "value": dict(value)} if about := _about(value):
            what = (field, value.get("item"), value.get("verb"), about, _actor(value))
            when_ = (value.get("reaction_type"), value.get("created_time"))
            return fingerprint(*what, *when_, *_wording(value))
    return fingerprint(change, time)


def change_of(item: Item, request: Request) -> Iterable[Fact]:
    """The facts of one of `changes`; NoWord for moderation, leads, settings and the like."""
    match item.value:
        case {"field": str(field), "value": {"item": str(kind), "verb": str(verb)}}:
            reader = _KINDS.get(kind) if field in _FIELDS else None
            if reader and verb in _VERBS and _about(item.value["value"]):
                return reader(Change(item, request))
            raise NoWord(f"{item.channel} {field} {kind} {verb}"[:2048])
        case {"field": str(field)}:
            raise NoWord(f"{item.channel} {field}"[:2048])
    raise NoWord("unexpected shape")


def name_only(item: Item, request: Request) -> Iterable[Fact]:
    """A field's name, sent where the subscription includes no values."""
    raise NoWord(f"page {item.value} without its value"[:2048])


class Change:
    """Something that somebody said or did on a Page, in public."""

    def __init__(self, item: Item, request: Request) -> None:
        value: Mapping[str, Any] = item.value["value"]
        self.item, self.value, self.now = item, value, request.now
        self.field: str = item.value["field"]
        self.done = _VERBS[value["verb"]]
        self.about = ident(_about(value))
        self.root = ident(value.get("open_graph_story_id") or value.get("post_id") or self.about)
        self.own = _actor(value) == item.account

    @property
    def at(self) -> datetime | None:
        """`created_time` stays the original's: of an edit we only know when Meta told us."""
        first = when(self.value.get("created_time")) if self.done == "created" else None
        return first or when(self.item.envelope.get("time"))

    @property
    def author(self) -> p.Author:
        """Meta keeps the author to itself where the app or a setting says so."""
        if self.own:
            return BUSINESS
        actor, page = _actor(self.value), self.item.account
        known = person("facebook_page", page, actor) if actor else None
        return p.Author(kind="customer", identity=known, display_name=_name(self.value))

    @property
    def conversation(self) -> str:
        """The post, and of a comment the thread below it: where an answer goes."""
        where, comment = f"facebook_page/{self.item.account}/{self.root}", self.comment
        if not comment:
            return where
        parent = self.value.get("parent_id") or self.root
        return f"{where}/{comment if parent == self.root else ident(parent)}"

    @property
    def comment(self) -> str | None:
        known = self.value.get("comment_id")
        return ident(known) if known else None

    def message(self, content: tuple[Any, ...], rating: p.Rating | None = None) -> p.Message:
        parent = self.value.get("parent_id")
        return p.Message(
            **self.item.said,
            message_id=self.about,
            conversation_id=self.conversation,
            direction="out" if self.own else "in",
            visibility="public",
            author=self.author,
            content=content,
            reply_to=ident(parent) if parent and self.comment else None,
            public=p.PublicPost(post_id=self.root, permalink=_permalink(self.value)),
            rating=rating,
        )


def _spoken(change: Change) -> Iterator[Fact]:
    """A comment; a post of a visitor, or the Page's own; a mention elsewhere; a share."""
    word = "comment"
    if change.done == "created" and change.field == "mention":
        word = "mention"
    elif change.done == "created" and change.value["item"] == "share":
        word = "share"
    content = () if change.done == "deleted" else _content(change.value)
    yield Fact(f"{word}.{change.done}", change.message(content), change.at)


def _rated(change: Change) -> Iterator[Fact]:
    """A recommendation; an edited one says anew what its author thinks."""
    value = change.value
    if change.done == "deleted":
        yield Fact("comment.deleted", change.message(()), change.at)
        return
    stars, kind = value.get("rating"), value.get("recommendation_type")
    rating = p.Rating(value=stars, of=5 if stars else None, recommended=_RECOMMENDED.get(kind))
    text = words(value.get("review_text"))
    said = change.message((p.Text(text=text),) if text else (), rating)
    yield Fact("review.created", said, change.at)


def _reacted(change: Change) -> Iterator[Fact]:
    data = p.Reaction(
        **change.item.said,
        message_id=change.about,
        conversation_id=change.conversation,
        author=change.author,
        emoji=change.value.get("reaction_type") or "like",
        visibility="public",
    )
    gone = change.done == "deleted"
    yield Fact("reaction.removed" if gone else "reaction.added", data, change.at)


_KINDS: Mapping[str, Callable[[Change], Iterable[Fact]]] = {
    **dict.fromkeys(("comment", "post", "status", "photo", "video", "share"), _spoken),
    **dict.fromkeys(("album", "event", "link", "note"), _spoken),
    "rating": _rated,
    "reaction": _reacted,
    "like": _reacted,
}


def _about(value: Mapping[str, Any]) -> Any:
    """The id of what is said, or of what is reacted to; nothing for the Page itself."""
    return value.get("comment_id") or value.get("post_id") or value.get("open_graph_story_id")


def _actor(value: Mapping[str, Any]) -> str | None:
    author = value.get("from") or {}
    known = author.get("id") if isinstance(author, dict) else None
    known = known or value.get("sender_id") or value.get("reviewer_id")
    return str(known)[:2048] if known else None


def _name(value: Mapping[str, Any]) -> str | None:
    author = value.get("from") or {}
    return words(author.get("name") or value.get("sender_name") or value.get("reviewer_name"))


def _permalink(value: Mapping[str, Any]) -> str | None:
    match value:
        case {"post": {"permalink_url": str(url)}}:
            return url
    return None


def _wording(value: Mapping[str, Any]) -> tuple[Any, ...]:
    if value.get("verb") not in ("edit", "edited"):
        return ()
    return tuple(value.get(key) for key in _WORDS)


_WORDS = ("message", "review_text", "rating", "recommendation_type")
_MEDIA: Mapping[str, Any] = {"photo": "image", "video": "video"}


def _content(value: Mapping[str, Any]) -> tuple[Any, ...]:
    text, link = words(value.get("message")), value.get("link")
    shown = [p.Media(media=_MEDIA[key], url=value[key]) for key in _MEDIA if value.get(key)]
    shown += [p.Media(media="image", url=url) for url in each(value.get("photos"))]
    if link:
        shown.append(p.Media(media=_MEDIA.get(value["item"], "share"), url=link))
    said = [p.Text(text=text)] if text else []
    return (*said, *shown) or (p.UnsupportedPart(type=value["item"]),)
