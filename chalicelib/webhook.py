"""Our own Standard Webhooks, to a shipper or a desk that has no API of its own.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.credentials import Credentials
from chalicelib.errors import Misconfigured
from chalicelib.events import iso
from chalicelib.jsons import text_of
from chalicelib.outbound import Call, Outcome, Response, judge, retry_after
from chalicelib.signing import webhook_signature


def signed(
    credentials: Credentials, key: str, at: datetime | None, type: str, data: Mapping[str, Any]
) -> Call:
    """`{type, timestamp, data}` to the account's `url`, signed with every live `secret`.

    `key` is the webhook-id, the same on each attempt; `at` is the attempt's time: receivers
    refuse what is older than five minutes. Misconfigured for a secret that is no key.
    """
    if at is None:
        raise ValueError("a signed webhook needs the time of its attempt")
    body = text_of({"type": type, "timestamp": iso(at), "data": data}).encode()
    stamp = str(int(at.timestamp()))
    try:
        secrets = credentials.live("secret")
        signatures = [webhook_signature(secret, key, stamp, body) for secret in secrets]
    except ValueError as error:
        raise Misconfigured(f"{credentials.owner}: secret is not base64") from error
    headers = {
        "content-type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }
    return Call("POST", credentials.one("url"), headers, body)


def answered(response: Response) -> Outcome:
    """What the receiver's status means: 410 ends it, 502 and 504 ask for patience (spec)."""
    if response.status == 410:
        return Outcome("stop", code="410", title="the receiver is gone")
    outcome = judge(response)
    if outcome.verdict == "retry":
        return replace(outcome, retry_after_s=retry_after(response))
    return outcome
