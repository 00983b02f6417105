"""The answer inside a response, as WeChat reads it; Weibo's XML is the same.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
"""

from typing import Any

from chalicelib.channels._xml import cdata
from chalicelib.source import Request, ident


def passive_reply(heard: Any, text: str, request: Request) -> str:
    """XML that says `text` to whoever `heard` is from."""
    return (
        f"<xml><ToUserName>{cdata(ident(heard['FromUserName']))}</ToUserName>"
        f"<FromUserName>{cdata(ident(heard['ToUserName']))}</FromUserName>"
        f"<CreateTime>{int(request.now.timestamp())}</CreateTime>"
        f"<MsgType>{cdata('text')}</MsgType><Content>{cdata(text)}</Content></xml>"
    )
