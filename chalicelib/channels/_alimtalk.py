"""Alimtalk: Kakao's approved notices, by phone number, through a dealer.

https://docs.nhncloud.com/ko/Notification/KakaoTalk%20Bizmessage/ko/Overview/
"""

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

from chalicelib.channels._account_templates import filled
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outcome, Outgoing, Response, Template, judge


class AlimtalkDealer(Protocol):
    """Kakao sells these messages through dealers only; each has an API of its own."""

    def notice(
        self, phone: str, template: Template, key: str, credentials: Credentials
    ) -> Call: ...

    def outcome(self, response: Response) -> Outcome: ...


class NhnCloud:
    """https://docs.nhncloud.com/ko/Notification/KakaoTalk%20Bizmessage/ko/alimtalk-api-guide/"""

    api = "https://api-alimtalk.cloud.toast.com/alimtalk/v2.3/appkeys"

    def notice(self, phone: str, template: Template, key: str, credentials: Credentials) -> Call:
        code, values = filled(template, credentials)
        told = {
            "senderKey": credentials.one("alimtalk_sender_key"),
            "templateCode": code,
            "recipientList": [{"recipientNo": phone, "templateParameter": values}],
        }
        headers = {
            "x-secret-key": credentials.one("alimtalk_secret_key"),
            "x-nc-api-idempotency-key": key,
        }
        app = quote(credentials.one("alimtalk_app_key"), safe="")
        return Call.json(f"{self.api}/{app}/messages", told, headers)

    def outcome(self, response: Response) -> Outcome:
        """The header speaks of the request, each result of its recipient: there is one."""
        match response.json:
            case {"header": {"isSuccessful": False, "resultCode": code, **more}}:
                return _refused(code, more.get("resultMessage"))
            case {"message": {"sendResults": [{"resultCode": int(code), **more}, *_]}} if code:
                return _refused(code, more.get("resultMessage"))
            case {"header": {"isSuccessful": True}, "message": {"requestId": str(sent)}}:
                return Outcome("sent", sent)
        return judge(response)


DEALERS: Mapping[str, AlimtalkDealer] = {"nhn": NhnCloud()}
"""By the account's `alimtalk_dealer`."""


def notice(message: Outgoing, template: Template, credentials: Credentials) -> Call:
    """The template to the customer's phone. Unsupported without a dealer or without a number."""
    dealer = DEALERS.get(credentials.get("alimtalk_dealer"))
    if not dealer:
        raise Unsupported("kakao has no alimtalk dealer")
    return dealer.notice(_phone(message), template, message.key, credentials)


def _phone(message: Outgoing) -> str:
    """As Koreans dial it: `+821012345678` is `01012345678`."""
    names = (message.to.subject, *message.to.aliases)
    known = (name for name in names if name.startswith("+82") and name[3:].isdecimal())
    if not (phone := next(known, "")):
        raise Unsupported("alimtalk needs a Korean phone number")
    return "0" + phone[3:]


def _refused(code: object, told: object) -> Outcome:
    return Outcome("permanent", None, str(code), str(told or "")[:2048])
