"""What a customer, or the business, says in a conversation on Messenger or Instagram."""

from collections.abc import Iterable, Iterator

from chalicelib import payloads as p
from chalicelib.channels._messenger_parts import content_of
from chalicelib.channels._messenger_thread import Thread, guest
from chalicelib.channels._meta import words
from chalicelib.source import Fact, NoWord, ident

_STOP = "STOP_NOTIFICATIONS"


def message(thread: Thread) -> Iterable[Fact]:
    """A message, an echo of one, or that one is gone."""
    if thread.value["message"].get("is_deleted"):
        gone = thread.message(thread.value["message"]["mid"], ())
        return (Fact("message.deleted", gone, thread.at),)
    return _spoken(thread)


def _spoken(thread: Thread) -> Iterator[Fact]:
    said = thread.value["message"]
    data = thread.message(said["mid"], content_of(said), opens=True)
    yield Fact("message.echoed" if thread.out else "message.received", data, thread.at)
    if referral := said.get("referral"):
        yield thread.referral(referral)
    match thread.value:
        case {"prior_message": {"identifier": user_ref}}:
            yield thread.linked(thread.identity(guest(user_ref)), "prior_message")


def edited(thread: Thread) -> Iterator[Fact]:
    """The words a message has now; NoWord for the copies that name nobody (Instagram)."""
    if not thread.psid:
        raise NoWord(f"{thread.item.channel} message_edit of nobody")
    edit = thread.value["message_edit"]
    yield Fact("message.edited", thread.message(edit["mid"], content_of(edit)), thread.at)


def postback(thread: Thread) -> Iterator[Fact]:
    """A button, a menu entry, or Get Started."""
    pressed = thread.value["postback"]
    title, mid = words(pressed.get("title")), pressed.get("mid")
    data = p.Press(
        **thread.item.said,
        message_id=ident(mid) if mid else None,
        conversation_id=thread.conversation,
        author=thread.author,
        payload=words(pressed.get("payload")) or title or "",
        title=title,
        window_until=thread.window,
        standby=thread.standby,
    )
    yield Fact("postback.received", data, thread.at)
    if referral := pressed.get("referral"):
        yield thread.referral(referral)


def reaction(thread: Thread) -> Iterator[Fact]:
    """A reaction to one message, or its end."""
    given = thread.value["reaction"]
    added = given["action"] == "react"
    data = p.Reaction(
        **thread.item.said,
        message_id=ident(given["mid"]),
        conversation_id=thread.conversation,
        author=thread.author,
        to=thread.customer if thread.out else None,
        emoji=words(given.get("emoji") or given.get("reaction")),
        window_until=thread.window if added else None,
    )
    yield Fact("reaction.added" if added else "reaction.removed", data, thread.at)


def referred(thread: Thread) -> Iterator[Fact]:
    """A customer we know came in again by a link or an ad."""
    yield thread.referral(thread.value["referral"])


def opted_in(thread: Thread) -> Iterator[Fact]:
    """A plugin's checkbox or button; or marketing messages, wanted or no more."""
    given = thread.value["optin"]
    if given.get("type") == "notification_messages":
        yield _notifications(thread, given.get("notification_messages_status") != _STOP)
        return
    opened = p.Opened(
        **thread.item.said,
        conversation_id=thread.conversation,
        identity=thread.customer,
        window_until=thread.window,
    )
    yield Fact("conversation.opened", opened, thread.at)
    if given.get("ref"):
        yield thread.referral(given, source="optin")


def _notifications(thread: Thread, wanted: bool) -> Fact:
    data = p.Consent(
        **thread.item.said,
        identity=thread.customer,
        purpose="marketing",
        scope="purpose",
        source="notification_messages",
        at=thread.at,
    )
    return Fact("consent.granted" if wanted else "consent.withdrawn", data, thread.at)


def account_linking(thread: Thread) -> Iterator[Fact]:
    """The customer signed in to the brand's own site: its code names the account."""
    given = thread.value["account_linking"]
    if given.get("status") != "linked":
        raise NoWord(f"{thread.item.channel} account_linking {given.get('status')}"[:2048])
    code = ident(given["authorization_code"])
    theirs = p.Identity(channel="authorization_code", scope=thread.item.account, subject=code)
    yield thread.linked(theirs, "account_linking")
