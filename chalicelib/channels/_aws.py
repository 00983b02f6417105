"""Sources that speak on a bus or a queue of AWS: IAM vouches for them, and nobody may post as them.

The request's body is what AWS handed over, whole: an EventBridge event, or a queue's message.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.channels._channel import Channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import WrongMethod
from chalicelib.jsons import text_of
from chalicelib.source import Request


class OverAws(Channel):
    transport = "aws"
    retry_horizon = timedelta(days=1)
    """EventBridge's; a queue keeps its messages for as long as it is told to."""

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        raise WrongMethod(f"{self.name} speaks through AWS, not over HTTP")

    def unwrap(self, envelope: Mapping[str, Any], now: datetime) -> Request:
        return Request(body=text_of(envelope).encode(), now=now)


def camel(value: Any) -> Any:
    """The same with keys as `eventType`: AWS and Amazon write `EventType` in some places."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: camel(inner) for key, inner in value.items()}
    return [camel(inner) for inner in value] if isinstance(value, list) else value
