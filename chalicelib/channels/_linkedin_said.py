"""What members do with an organisation's posts on LinkedIn, and where they speak of it.

https://learn.microsoft.com/linkedin/marketing/community-management/organizations/organization-social-action-notifications
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import BUSINESS, named, speaker, words
from chalicelib.source import Fact, Item, NoWord, ident, when

_SHORT = re.compile(r"(urn:li:\w+:\()(?!urn:li:)(?=\w+:)")
_PAIR = re.compile(r"urn:li:\w+:\(([^,()]+),(.+)\)")
_COMMENT = "urn:li:comment:"
_LIKES = ("urn:li:like:", "urn:li:reaction:")


def urn(value: Any) -> str:
    """A URN; LinkedIn writes those within others with and without `urn:li:`. Empty for none."""
    known = named(value, "")
    return _SHORT.sub(r"\1urn:li:", known) if "(" in known else known


class Action:
    """One notification: who did what to which post."""

    def __init__(self, item: Item) -> None:
        value: Mapping[str, Any] = item.value
        self.item, self.kind = item, str(value.get("action"))
        self.made = urn(value.get("generatedActivity"))
        self.source = urn(value.get("sourcePost"))
        self.told = _decorated(value)
        owner = urn(self.told.get("owner") or self.told.get("actor"))
        self.own = self.kind == "ADMIN_COMMENT" or owner == item.account
        likes = self.made.startswith(_LIKES)
        who, self.liked = _pair(self.made) if likes else ("", "")
        self.owner = owner or who

    @cached_property
    def author(self) -> p.Author:
        if self.own or self.owner == self.item.account:
            return BUSINESS
        if not self.owner:
            return p.Author(kind="customer")
        return speaker(None, "linkedin", self.item.account, self.owner)

    def fact(self, type: str, post: str, known: str, thread: str = "", parent: str = "") -> Fact:
        """Something said in public, `thread` being the comment that an answer goes below."""
        place = "/".join(("linkedin", self.item.account, post, *([thread] if thread else [])))
        gone = type == "comment.deleted"
        data = p.Message(
            **self.item.said,
            message_id=ident(known),
            conversation_id=place,
            direction="out" if self.author is BUSINESS else "in",
            visibility="public",
            author=self.author,
            content=() if gone else self._content(type),
            reply_to=parent or None,
            public=p.PublicPost(post_id=ident(post), permalink=_permalink(post)),
        )
        return Fact(type, data, self.at)

    @property
    def at(self) -> Any:
        return when(self.item.value.get("lastModifiedAt"))

    def _content(self, type: str) -> tuple[Any, ...]:
        said = self.told.get("text") or self.told.get("message")
        text = words(said.get("text") if isinstance(said, dict) else said)
        return (p.Text(text=text),) if text else (p.UnsupportedPart(type=type.partition(".")[0]),)


def said(item: Item) -> Iterable[Fact]:
    """The facts of one notification; NoWord for what is neither said nor liked."""
    match item.value:
        case {"action": str(kind)} if kind in _KINDS:
            return _KINDS[kind](Action(item))
        case {"action": str(kind)} | {"type": str(kind)}:
            lead = item.value.get("leadAction")
            raise NoWord(f"linkedin {kind} {lead}"[:2048] if lead else f"linkedin {kind}"[:2048])
    raise NoWord("unexpected shape")


def _commented(done: str) -> Callable[[Action], Iterator[Fact]]:
    def facts(action: Action) -> Iterator[Fact]:
        known = urn(action.told.get("entity")) or action.made
        above = urn(action.told.get("parentComment") or action.told.get("object"))
        parent = above if above.startswith(_COMMENT) else ""
        post = action.source or _pair(known)[0]
        yield action.fact(f"comment.{done}", post, known, parent or known, parent)

    return facts


def _mentioned(action: Action) -> Iterator[Fact]:
    """A post of theirs that names us: an answer is a comment below it."""
    post = urn(action.told.get("entity")) or action.made
    yield action.fact("mention.created", post, post)


def _shared(action: Action) -> Iterator[Fact]:
    """Our post, passed on: theirs is a post of its own, in the conversation about ours."""
    post = urn(action.told.get("entity")) or action.made
    yield action.fact("share.created", action.source or post, post)


def _liked(action: Action) -> Iterator[Fact]:
    liked = action.liked or action.source
    data = p.Reaction(
        **action.item.said,
        message_id=ident(liked),
        conversation_id="/".join(("linkedin", action.item.account, action.source or liked)),
        author=action.author,
        emoji="like",
        visibility="public",
    )
    yield Fact("reaction.added", data, action.at)


_KINDS: Mapping[str, Callable[[Action], Iterable[Fact]]] = {
    **dict.fromkeys(("COMMENT", "ADMIN_COMMENT"), _commented("created")),
    "COMMENT_EDIT": _commented("edited"),
    "COMMENT_DELETE": _commented("deleted"),
    **dict.fromkeys(("SHARE_MENTION", "PHOTO_MENTION"), _mentioned),
    "SHARE": _shared,
    "LIKE": _liked,
}


def _decorated(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What LinkedIn tells of what was made, under whichever name; {} where it tells nothing."""
    decorated = value.get("decoratedGeneratedActivity")
    inner = list(decorated.values()) if isinstance(decorated, dict) else []
    return next((each for each in inner if isinstance(each, dict)), {})


def _pair(made: str) -> tuple[str, str]:
    """Both parts of a URN of two: of a like who and what, of a comment the post and a number."""
    found = _PAIR.fullmatch(made)
    return (found[1], found[2]) if found else ("", "")


def _permalink(post: str) -> str:
    return f"https://www.linkedin.com/feed/update/{post}"
