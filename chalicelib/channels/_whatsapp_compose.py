"""How WhatsApp is answered, and what its error codes mean.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.channels._meta import Ruling, post, segment
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outgoing, Template
from chalicelib.payloads import Identity

TEXT_LIMIT = 4096

CODES: Mapping[int, Ruling] = {
    # refused before anything was done
    **dict.fromkeys((4, 80007, 130429), ("retry", None)),
    131056: ("retry", 6),  # one message per 6 s to one customer
    134101: ("retry", 600),  # the template is being synchronised
    133016: ("retry", 72 * 3600),
    131049: ("retry", 24 * 3600),  # this customer hears enough from businesses today
    # perhaps sent: the trace decides first
    **dict.fromkeys((1, 2, 131000, 131016, 131057), ("unknown", None)),
    **dict.fromkeys((131047, 470), ("template", None)),
    # never for this customer, or never with these words
    **dict.fromkeys((130472, 131048, 131064, 132015), ("permanent", None)),
    **dict.fromkeys((131026, 131021, 130403, 131050, 131030, 131062), ("permanent", None)),
    **dict.fromkeys((100, 131008, 131009, 131051, 131053, 137000), ("permanent", None)),
    **dict.fromkeys((132000, 132001, 132005, 132007, 132012, 132016, 132018), ("permanent", None)),
    # nobody hears anything until an operator acts
    **dict.fromkeys((3, 10, *range(200, 300), 131005, 368, 131031, 130497), ("stop", None)),
    **dict.fromkeys((131042, 131045, 133010, 131037), ("stop", None)),
    **dict.fromkeys((0, 190), ("reauthorise", None)),
}


def call(message: Outgoing, credentials: Credentials) -> Call:
    """One message to one customer; the outbox key comes back in every status of it."""
    document = {
        "messaging_product": "whatsapp",
        **recipient(message.to),
        **_content(message),
        "biz_opaque_callback_data": message.key,
    }
    return post(f"{segment(message.account)}/messages", document, credentials)


def recipient(to: Identity) -> dict[str, str]:
    """`to` a phone number where we know one, else `recipient` a business-scoped user id."""
    names = (to.subject, *to.aliases)
    phone = next((name for name in names if name.removeprefix("+").isdecimal()), None)
    if phone is None:
        return {"recipient": to.subject}
    return {"recipient_type": "individual", "to": phone}


def _content(message: Outgoing) -> dict[str, Any]:
    if message.means == "free":
        body = {"body": message.text[:TEXT_LIMIT], "preview_url": False}
        return {"type": "text", "text": body}
    if message.means == "template" and message.template:
        return {"type": "template", "template": _template(message.template)}
    raise Unsupported(f"whatsapp cannot say {message.means}")


def _template(template: Template) -> dict[str, Any]:
    body = [{"type": "text", "text": _one_line(param)} for param in template.params]
    return {
        "name": template.name,
        "language": {"code": template.lang.replace("-", "_")},
        **({"components": [{"type": "body", "parameters": body}]} if body else {}),
    }


def _one_line(param: str) -> str:
    """A parameter with a line break or a run of blanks is refused."""
    return " ".join(param.split())
