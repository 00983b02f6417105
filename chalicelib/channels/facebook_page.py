"""Facebook Page feed: https://developers.facebook.com/docs/graph-api/webhooks/reference/page"""

from collections.abc import Mapping
from datetime import timedelta

from chalicelib.channels._meta import Ruling, post, segment
from chalicelib.channels._page import Page
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outgoing

# https://developers.facebook.com/docs/graph-api/guides/error-handling
CODES: Mapping[int, Ruling] = {
    **dict.fromkeys((1, 2), ("unknown", None)),
    **dict.fromkeys((4, 17, 32, 341, 613, 80001), ("retry", None)),
    **dict.fromkeys((100, 506, 1705), ("permanent", None)),
    **dict.fromkeys((3, 10, *range(200, 300), 368), ("stop", None)),
    190: ("reauthorise", None),
}


class FacebookPage(Page):
    name = "facebook_page"
    title = "Facebook Page"
    docs = "https://developers.facebook.com/docs/graph-api/webhooks/reference/page"
    dedupe = "field, item, verb, what it is about, author, reaction, time; of an edit its words"
    retry_horizon = timedelta(hours=36)
    time_unit = "s"
    means = ("free",)
    text_limit = 8000
    codes = CODES

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """A comment in public: below the comment, or the post, that ends the conversation's id."""
        if message.means != "free":
            raise Unsupported(f"facebook_page cannot say {message.means}")
        below = message.conversation_id.rpartition("/")[2]
        words = {"message": message.text[: self.text_limit]}
        return post(f"{segment(below)}/comments", words, credentials)


channel = FacebookPage()
