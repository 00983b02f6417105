"""Instagram: https://developers.facebook.com/docs/instagram-platform/webhooks

Two products: Instagram Login (`access_token` of the account), and Facebook Login, whose account
also holds the `page_id` that its token belongs to.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib.channels._instagram_public import MENTION
from chalicelib.channels._meta import WINDOW, Ruling, post, segment
from chalicelib.channels._page import Page
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outgoing

INSTAGRAM = "https://graph.instagram.com/v25.0"
MESSAGE_BYTES = 1000
COMMENT_LENGTH = 300
# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes
_CODES: Mapping[int, Ruling] = {
    **dict.fromkeys((1, 2, 1200), ("unknown", None)),
    **dict.fromkeys((4, 17, 32, 613, 80002, 80006), ("retry", None)),
    **dict.fromkeys((100, 551), ("permanent", None)),
    **dict.fromkeys((3, 10, *range(200, 300), 368), ("stop", None)),
    190: ("reauthorise", None),
}
_SUBCODES: Mapping[int, Ruling] = {
    **dict.fromkeys((2534022, 2018278), ("permanent", None)),  # no template opens a closed window
    **dict.fromkeys((2534014, 2018001, 2018108, 1545041), ("permanent", None)),
    **dict.fromkeys((2534122, 2534029), ("stop", None)),  # the account is restricted
}


class Instagram(Page):
    name = "instagram"
    title = "Instagram"
    docs = "https://developers.facebook.com/docs/instagram-platform/webhooks"
    dedupe = "mid; of what is seen customer and mid; comment; of a mention medium and comment"
    retry_horizon = timedelta(hours=36)
    time_unit = "ms"
    means = ("free",)
    window = WINDOW
    text_limit = MESSAGE_BYTES
    codes = _CODES
    subcodes = _SUBCODES
    about = "instagram"

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """A private message; a comment below the thread; or an answer to a mention.

        Unsupported: templates, and mentions without Facebook Login.
        """
        if message.means != "free":
            raise Unsupported(f"instagram cannot say {message.means}")
        place = message.conversation_id.split("/")[2:]
        match place:
            case [kind, media, *comment] if kind == MENTION:
                return _to_mention(message, media, comment, credentials)
            case [_, thread]:
                words = {"message": message.text[:COMMENT_LENGTH]}
                return _call(f"{segment(thread)}/replies", words, credentials)
        document = {"recipient": {"id": message.to.subject}, "message": {"text": _short(message)}}
        sender = credentials.get("page_id", message.account)
        return _call(f"{segment(sender)}/messages", document, credentials)


def _to_mention(
    message: Outgoing, media: str, comment: list[str], credentials: Credentials
) -> Call:
    if not credentials.get("page_id"):
        raise Unsupported("instagram answers mentions with Facebook Login only")
    about = {"media_id": media, **({"comment_id": comment[0]} if comment else {})}
    words = {**about, "message": message.text[:COMMENT_LENGTH]}
    return _call(f"{segment(message.account)}/mentions", words, credentials)


def _call(path: str, document: Mapping[str, Any], credentials: Credentials) -> Call:
    """By the host of the product whose token the account holds."""
    if credentials.get("page_id"):
        return post(path, document, credentials)
    auth = {"authorization": f"Bearer {credentials.one('access_token')}"}
    return Call.json(f"{INSTAGRAM}/{path}", document, auth)


def _short(message: Outgoing) -> str:
    """At most 1000 bytes, and no half character."""
    return message.text.encode("utf-8", "replace")[:MESSAGE_BYTES].decode("utf-8", "ignore")


channel = Instagram()
