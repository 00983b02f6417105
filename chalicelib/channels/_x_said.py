"""What happens between two people on X: direct messages, receipts, likes, follows and blocks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._x_people import Users, id_of, moment, plain
from chalicelib.channels._x_post import deleted, media_of, posted
from chalicelib.source import Fact, Item, NoWord, Request, ident

BROADCAST = "broadcast"
"""In the id of a conversation below a live broadcast."""


def said(item: Item, request: Request) -> Iterable[Fact]:
    """The facts of one element; NoWord for profiles, Spaces, typing and jobs."""
    of = item.envelope["of"]
    reader = _KINDS.get(of)
    if not reader:
        raise NoWord(f"x {of}"[:2048])
    if not isinstance(item.value, dict):
        raise NoWord("unexpected shape")
    return reader(item, request)


def _message(item: Item, request: Request) -> Iterator[Fact]:
    """A direct message; our own comes back too."""
    sent = item.value["message_create"]
    sender, data = ident(sent["sender_id"]), sent["message_data"]
    receiver = sent["target"]["recipient_id"] if sender == item.account else sender
    content = tuple(_content(data)) or (p.UnsupportedPart(type="message"),)
    yield _direct(item, item.value["id"], sender, receiver, content)


def _sealed(item: Item, request: Request) -> Iterator[Fact]:
    """An encrypted message: who wrote when is all that X tells without the account's keys."""
    value = item.value
    sender = ident(value["sender_id"])
    counterpart = sender
    if sender == item.account:
        both = ident(value["conversation_id"]).split(":")
        counterpart = next(one for one in [*both, ""] if one != item.account)
    content = (p.UnsupportedPart(type="encrypted chat"),)
    yield _direct(item, value["id"], sender, counterpart, content)


def _direct(item: Item, known: Any, sender: str, customer: Any, content: tuple[Any, ...]) -> Fact:
    users, out = Users(item), sender == item.account
    other = users.identity(customer)
    data = p.Message(
        **item.said,
        message_id=ident(known),
        conversation_id=f"x/{item.account}/{other.subject}",
        direction="out" if out else "in",
        author=users.author(sender),
        to=other if out else None,
        content=content,
    )
    return Fact("message.echoed" if out else "message.received", data, moment(item.value))


def _content(data: Mapping[str, Any]) -> Iterator[Any]:
    text = plain(data.get("text"))
    if text:
        yield p.Text(text=text)
    match data:
        case {"quick_reply_response": {"metadata": str(chosen)}}:
            yield p.Postback(payload=plain(chosen) or "", title=text)
    match data.get("attachment"):
        case {"type": "media", "media": medium} if shown := tuple(media_of(medium)):
            yield from shown
        case {"location": {"shared_coordinate": {"coordinates": {"coordinates": [east, north]}}}}:
            yield p.Location(latitude=north, longitude=east)
        case {"type": str(kind)}:
            yield p.UnsupportedPart(type=kind[:2048])


def _chatted(item: Item, request: Request) -> Iterator[Fact]:
    """Words below a broadcast of ours, while it lasts: no call of the API answers them."""
    value, users = item.value, Users(item)
    author, show = id_of(value["author"]), ident(value["broadcast_id"])
    out, text = author == item.account, plain(value.get("message"))
    data = p.Message(
        **item.said,
        message_id=ident(value["message_id"]),
        conversation_id=f"x/{item.account}/{BROADCAST}/{show}/{ident(value['message_id'])}",
        direction="out" if out else "in",
        visibility="public",
        author=users.author(author),
        content=(p.Text(text=text),) if text else (p.UnsupportedPart(type="message"),),
        public=p.PublicPost(post_id=show),
    )
    yield Fact("comment.created", data, moment(value))


def _read(item: Item, request: Request) -> Iterator[Fact]:
    """A customer has read up to a message; that we did is no news."""
    value, at = item.value, moment(item.value) or request.now
    reader = ident(value["sender_id"])
    if reader == item.account:
        raise NoWord("x read by us")
    data = p.Status(
        **item.said,
        status="read",
        conversation_id=f"x/{item.account}/{reader}",
        at=at,
        message_id=ident(value["last_read_event_id"]),
        identity=Users(item).identity(reader),
    )
    yield Fact("message.read", data, at)


def _liked(item: Item, request: Request) -> Iterator[Fact]:
    """A like of one of our posts, or ours of a customer's. The newer API may not say by whom."""
    value, users = item.value, Users(item)
    status = value.get("favorited_status") or {}
    post = ident(status.get("id_str") or status.get("id") or value["liked_tweet_id"])
    author = id_of(status.get("user")) or ident(value["liked_tweet_author_id"])
    liker = id_of(value.get("user")) or _liker(item, author, users)
    own = liker == item.account
    data = p.Reaction(
        **item.said,
        message_id=post,
        conversation_id=f"x/{item.account}/{post}/{post}",
        author=users.author(liker),
        to=users.identity(author) if own and author != liker else None,
        emoji="like",
        visibility="public",
    )
    yield Fact("reaction.added", data, moment({**value, "created_at": None}))


def _liker(item: Item, author: str, users: Users) -> str:
    """Whoever it was: us, where the post is another's; else the only other person told of."""
    if author != item.account:
        return item.account
    others = users.others(author)
    return others[0] if len(others) == 1 else ""


def _followed(item: Item, request: Request) -> Iterator[Fact]:
    """A customer follows us, or no more. Who stops following wants no news; an answer they do."""
    kind = _kind(item)
    where: dict[str, Any] = {**item.said, "identity": _towards_us(item, kind)}
    at = moment(item.value)
    if kind == "follow":
        conversation = f"x/{item.account}/{where['identity'].subject}"
        yield Fact("conversation.opened", p.Opened(**where, conversation_id=conversation), at)
    else:
        gone = p.Consent(**where, purpose="marketing", source=kind, at=at)
        yield Fact("consent.withdrawn", gone, at)


def _blocked(item: Item, request: Request) -> Iterator[Fact]:
    """A customer wants nothing of us. That they unblock us is no consent to anything."""
    kind, at = _kind(item), moment(item.value)
    identity = _towards_us(item, kind)
    if kind != "block":
        raise NoWord("x unblock")
    yield Fact(
        "consent.withdrawn", p.Consent(**item.said, identity=identity, source=kind, at=at), at
    )


def _kind(item: Item) -> str:
    return str(item.value.get("type") or item.envelope["of"].rpartition(".")[2])


def _towards_us(item: Item, kind: str) -> p.Identity:
    """Who did it; NoWord when it was we, or to somebody else."""
    if id_of(item.value["target"]) != item.account:
        raise NoWord(f"x {kind} by us"[:2048])
    return Users(item).identity(id_of(item.value["source"]))


_POSTS = "post.create post.mention.create post.reply.create post.quote.create post.repost.create"
_KINDS: Mapping[str, Callable[[Item, Request], Iterable[Fact]]] = {
    **dict.fromkeys(("tweet_create_events", *_POSTS.split()), posted),
    **dict.fromkeys(("tweet_delete_events", "post.delete"), deleted),
    "direct_message_events": _message,
    "direct_message_mark_read_events": _read,
    **dict.fromkeys(("chat.received", "chat.sent"), _sealed),
    "broadcast.chat": _chatted,
    **dict.fromkeys(("favorite_events", "like.create"), _liked),
    **dict.fromkeys(("follow_events", "unfollow_events"), _followed),
    **dict.fromkeys(("follow.follow", "follow.unfollow"), _followed),
    **dict.fromkeys(("block_events", "unblock_events"), _blocked),
    **dict.fromkeys(("block.block", "block.unblock"), _blocked),
}
