"""Facebook Messenger: https://developers.facebook.com/docs/messenger-platform/webhooks"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib.channels._messenger_thread import GUEST
from chalicelib.channels._meta import WINDOW, Ruling, post, segment
from chalicelib.channels._page import Page
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outgoing, Template

# https://developers.facebook.com/docs/messenger-platform/error-codes
CODES: Mapping[int, Ruling] = {
    **dict.fromkeys((1, 2, 1200), ("unknown", None)),  # perhaps sent: the trace decides
    **dict.fromkeys((4, 32, 613, 80001, 80006), ("retry", None)),
    **dict.fromkeys((100, 551), ("permanent", None)),
    **dict.fromkeys((10, 200, 230, 368), ("stop", None)),
    190: ("reauthorise", None),
}
_SUBCODES: Mapping[int, Ruling] = {
    **dict.fromkeys((2018278, 2018065), ("template", None)),  # outside the window
    **dict.fromkeys((2018344, 2018108, 2018001, 2018034, 2018109, 1545041), ("permanent", None)),
    2018022: ("retry", None),
    1893063: ("retry", 30 * 60),  # the Page is restricted for a while
}


class Messenger(Page):
    name = "messenger"
    title = "Facebook Messenger"
    docs = "https://developers.facebook.com/docs/messenger-platform/webhooks"
    dedupe = "mid; of a receipt customer and watermark; of the rest customer, time and content"
    retry_horizon = timedelta(hours=1)
    time_unit = "ms"
    means = ("free", "template")
    window = WINDOW
    resend = "traced"
    text_limit = 2000
    codes = CODES
    subcodes = _SUBCODES

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        document = {"recipient": _recipient(message.to.subject), **_said(message)}
        return post(f"{segment(message.account)}/messages", document, credentials)


def _recipient(psid: str) -> dict[str, str]:
    if psid.startswith(GUEST):
        return {"user_ref": psid.removeprefix(GUEST)}
    return {"id": psid}


def _said(message: Outgoing) -> dict[str, Any]:
    """The words, or an approved utility template; the outbox key comes back in the echo."""
    if message.means == "free":
        words = {"text": message.text[: Messenger.text_limit], "metadata": message.key}
        return {"messaging_type": "RESPONSE", "message": words}
    if message.means == "template" and message.template:
        template = {"template": _template(message.template), "metadata": message.key}
        return {"messaging_type": "UTILITY", "message": template}
    raise Unsupported(f"messenger cannot say {message.means}")


def _template(template: Template) -> dict[str, Any]:
    body = [{"type": "text", "text": param} for param in template.params]
    return {
        "name": template.name,
        "language": {"code": template.lang.replace("-", "_")},
        **({"components": [{"type": "body", "parameters": body}]} if body else {}),
    }


channel = Messenger()
