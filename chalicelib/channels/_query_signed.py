"""Signatures over sorted words of the query: WeChat, WeCom and Weibo share this scheme.

https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html

It covers no body. Who saw one URL may post any body to it, for as long as its timestamp is taken
for fresh: five minutes. Sealed bodies (`_wechat_seal`) close that; plain WeChat and Weibo do not.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha1, sha256
from typing import ClassVar

from chalicelib.credentials import Accounts
from chalicelib.errors import MalformedPayload, WrongVerifyToken
from chalicelib.signing import same
from chalicelib.source import Answer, Request, SignedSource, when

TOLERANCE = timedelta(minutes=5)
_ECHO = re.compile(r"[A-Za-z0-9+/=_-]{1,512}")


class QuerySigned(SignedSource):
    """`signature` = SHA-1 over the sorted secret, `timestamp` and `nonce`, all in the query."""

    handshake_kind = "echostr"
    signs_body: ClassVar[bool] = False
    secret_key: ClassVar[str]
    """Which secret is one of the sorted words."""

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        """No header: the query is signed."""
        return {}

    def handshake(self, request: Request, accounts: Accounts) -> Answer:
        """`echostr` as it came, to who knows the secret.

        MalformedPayload without a parameter; WrongVerifyToken for another secret or a stale time.
        """
        if request.method != "GET":
            return super().handshake(request, accounts)
        echo = request.query.get("echostr", "").replace(" ", "+")  # a plus that nobody escaped
        if not (_ECHO.fullmatch(echo) and request.query.get("timestamp")):
            raise MalformedPayload(f"{self.name}: no echostr")
        told = self.echoed(echo, request, accounts)
        if told is None:
            raise WrongVerifyToken(self.name)
        return Answer(told)

    def echoed(self, echo: str, request: Request, accounts: Accounts) -> str | None:
        """What the handshake is told; None where nobody we know signed it."""
        holders = accounts.holding(self.secret_key, request.account)
        keys = [key for holder in holders for key in holder.live(self.secret_key)]
        known = [signed_by(key, request) for key in keys]
        return echo if any(known) and fresh(request) else None


def sorted_sha1(*words: str) -> str:
    """Hex SHA-1 of the words, sorted and joined."""
    return sha1("".join(sorted(words)).encode("utf-8", "surrogatepass")).hexdigest()


def signed_by(secret: str, request: Request, *more: str, name: str = "signature") -> bool:
    """Whether `secret` made the query's signature, over `more` words too where it covers them."""
    stamp, nonce = (request.query.get(key, "") for key in ("timestamp", "nonce"))
    given = request.query.get(name, "")
    return same(given, sorted_sha1(secret, stamp, nonce, *more))


def fresh(request: Request) -> bool:
    """Whether the signed timestamp (seconds or milliseconds) is now, on both sides."""
    at = when(request.query.get("timestamp"))
    return at is not None and abs(request.now - at) <= TOLERANCE


def stamped(request: Request, *, milliseconds: bool = False) -> dict[str, str]:
    """The timestamp and nonce that a platform would sign this body with."""
    seconds = request.now.timestamp()
    stamp = str(int(seconds * 1000) if milliseconds else int(seconds))
    nonce = str(int(sha256(request.body).hexdigest()[:8], 16))
    return {"timestamp": stamp, "nonce": nonce}
