"""How WeChat is answered outside the response, and what its error codes mean.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from chalicelib.channels._account_templates import filled
from chalicelib.channels._wechat import cut
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outcome, Outgoing, Response, Verdict, judge

_API = "https://api.weixin.qq.com/cgi-bin/message"
TEXT_BYTES = 2048

CODES: Mapping[int, Verdict] = {
    **dict.fromkeys((-1, 45011), "retry"),  # refused before anything was done
    **dict.fromkeys((40001, 40014, 41001, 42001), "reauthorise"),
    **dict.fromkeys((45015, 45047), "template"),  # the window is closed, or used up
    **dict.fromkeys((40003, 43004, 43101, 45002, 48002, 50002), "permanent"),
    **dict.fromkeys((40164, 45009, 48001, 48004, 61004), "stop"),
}


def call(message: Outgoing, credentials: Credentials) -> Call:
    """One message to one customer: a customer service message, or an approved template."""
    query = urlencode({"access_token": credentials.one("access_token")})
    if message.means == "free":
        words = {"msgtype": "text", "text": {"content": cut(message.text, TEXT_BYTES)}}
        told = {"touser": message.to.subject, **words}
        return Call.json(f"{_API}/custom/send?{query}", told, {})
    if message.means == "template" and message.template:
        known, values = filled(message.template, credentials)
        data = {name: {"value": value} for name, value in values.items()}
        notice = {"touser": message.to.subject, "template_id": known, "data": data}
        notice["client_msg_id"] = message.key
        return Call.json(f"{_API}/template/send?{query}", notice, {})
    raise Unsupported(f"wechat cannot say {message.means}")


def outcome(response: Response, codes: Mapping[int, Verdict]) -> Outcome:
    """`errcode` decides: the status is always 200. A code nobody wrote down is permanent."""
    code = response.json.get("errcode")
    if not isinstance(code, int):
        return judge(response)
    if code == 0:
        sent = response.json.get("msgid")
        return Outcome("sent", str(sent) if sent else None)
    title = str(response.json.get("errmsg") or "")[:2048]
    return Outcome(codes.get(code, "permanent"), None, str(code), title)
