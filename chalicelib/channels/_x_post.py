"""Posts on X: mentions, replies, quotes, reposts, our own, and what is gone.

One post may match two subscriptions: what it is called depends on the post alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import BUSINESS, named
from chalicelib.channels._x_people import Users, count, id_of, moment, plain
from chalicelib.source import Fact, Item, Request, each, ident

_REFERENCES = {"replied_to": "reply", "quoted": "quote", "retweeted": "repost"}
_MEDIA: Mapping[Any, Any] = {"photo": "image", "video": "video", "animated_gif": "video"}


class Post:
    """A post as either API writes it."""

    def __init__(self, item: Item) -> None:
        value: Mapping[str, Any] = item.value
        self.item, self.value, self.users = item, value, Users(item)
        self.id = ident(value.get("id_str") or value["id"])
        self.author = named(value.get("author_id"), "") or id_of(value.get("user"))
        self.own = self.author == item.account
        self.about = _references(value)
        self.answers = _user(value, "in_reply_to_user_id")
        history = each(value.get("edit_history_tweet_ids"))
        self.first = named(next(history, None), self.id)

    @property
    def kind(self) -> str:
        """An answer to us, whatever it mentions, is a comment; other words about us a mention."""
        if "repost" in self.about:
            return "share.created"
        if self.first != self.id:
            return "comment.edited"
        told = self.item.envelope["of"] == "post.reply.create"
        return "comment.created" if self._to_us or told else "mention.created"

    @property
    def _to_us(self) -> bool:
        return self.own or self.answers == self.item.account

    @property
    def root(self) -> str:
        return named(self.value.get("conversation_id"), self.about.get("reply", self.first))

    @property
    def conversation(self) -> str:
        """Where an answer goes: below the customer's post, also where that was ours."""
        below = self.about.get("reply", self.id) if self.own else self.id
        return f"x/{self.item.account}/{self.root}/{below}"

    def message(self) -> p.Message:
        return p.Message(
            **self.item.said,
            message_id=self.first,
            conversation_id=self.conversation,
            direction="out" if self.own else "in",
            visibility="public",
            author=self.users.author(self.author),
            to=self.users.identity(self.answers) if self.own and self._answered else None,
            content=tuple(self._content()) or (p.UnsupportedPart(type="post"),),
            reply_to=self.about.get("reply"),
            lang=_language(self.value.get("lang")),
            public=self._public(),
        )

    @property
    def _answered(self) -> bool:
        return bool(self.answers) and self.answers != self.item.account

    def _public(self) -> p.PublicPost:
        name = self.users.profile(self.author)
        handle = name.get("username") or name.get("screen_name")
        counts = self.value.get("public_metrics")
        counts = counts if isinstance(counts, dict) else self.value
        shares = [counts.get(key) for key in ("retweet_count", "quote_count")]
        known = [number for share in shares if (number := count(share)) is not None]
        likes = count(counts.get("like_count", counts.get("favorite_count")))
        return p.PublicPost(
            post_id=self.root,
            permalink=_permalink(handle if isinstance(handle, str) else "i", self.id),
            replies=count(counts.get("reply_count")),
            shares=sum(known) if known else None,
            likes=likes,
        )

    def _content(self) -> Iterator[Any]:
        """The words and media; of a repost, whose words are not its author's, only the post."""
        if original := self.about.get("repost"):
            yield p.Media(media="share", url=_permalink("i", original))
            return
        if text := plain(_whole_text(self.value)):
            yield p.Text(text=text)
        yield from _media(self.value, self.item.envelope.get("includes"))
        if quoted := self.about.get("quote"):
            yield p.Media(media="share", url=_permalink("i", quoted))


def posted(item: Item, request: Request) -> Iterator[Fact]:
    """Somebody posted."""
    post = Post(item)
    yield Fact(post.kind, post.message(), moment(item.value))


def deleted(item: Item, request: Request) -> Iterator[Fact]:
    """A post is gone; what was kept of it has to go too (X, developer agreement)."""
    value = item.value
    gone = value.get("status") or value
    known, author = ident(gone["id"]), named(gone.get("author_id") or gone.get("user_id"), "")
    own = author == item.account
    data = p.Message(
        **item.said,
        message_id=known,
        conversation_id=f"x/{item.account}/{known}/{known}",
        direction="out" if own else "in",
        visibility="public",
        author=BUSINESS if own else Users(item).author(author),
        public=p.PublicPost(post_id=known),
    )
    yield Fact("comment.deleted", data, moment(value))


def _references(value: Mapping[str, Any]) -> dict[str, str]:
    """What a post is about: of `reply`, `quote` and `repost` the id of the other post."""
    found = {
        "reply": value.get("in_reply_to_status_id_str") or value.get("in_reply_to_tweet_id"),
        "quote": value.get("quoted_status_id_str"),
        "repost": id_of(value.get("retweeted_status")),
    }
    for reference in each(value.get("referenced_tweets")):
        match reference:
            case {"type": str(kind), "id": known} if kind in _REFERENCES:
                found[_REFERENCES[kind]] = known
    return {kind: known for kind, other in found.items() if (known := named(other, ""))}


def _user(value: Mapping[str, Any], key: str) -> str:
    return named(value.get(f"{key}_str") or value.get(key), "")


def _whole_text(value: Mapping[str, Any]) -> Any:
    """Of a long post `text` is only the beginning."""
    match value:
        case {"extended_tweet": {"full_text": str(text)}} | {"note_tweet": {"text": str(text)}}:
            return text
    return value.get("full_text") or value.get("text")


def _media(value: Mapping[str, Any], includes: Any) -> Iterator[p.Media]:
    match value:
        case {"extended_tweet": {"extended_entities": {"media": media}}}:
            shown = media
        case {"extended_entities": {"media": media}}:
            shown = media
        case {"attachments": {"media_keys": [*keys]}} if isinstance(includes, dict):
            known = [one for one in each(includes.get("media")) if isinstance(one, dict)]
            shown = [one for one in known if one.get("media_key") in keys]
        case _:
            return
    for medium in each(shown):
        yield from media_of(medium)


def media_of(medium: Any) -> Iterator[p.Media]:
    """A photo or film; nothing for what is neither."""
    match medium:
        case {"type": str(kind)} if kind in _MEDIA:
            url = medium.get("media_url_https") or medium.get("url")
            known = medium.get("id_str") or medium.get("media_key")
            yield p.Media(
                media=_MEDIA[kind],
                url=url or medium.get("preview_image_url"),
                media_id=known,
            )


def _language(lang: Any) -> str | None:
    """`und` and the like are no language."""
    return lang if isinstance(lang, str) and len(lang) == 2 else None


def _permalink(name: str, post: str) -> str:
    return f"https://x.com/{name}/status/{post}"
