"""Queues we write to: what should be done, perhaps later."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Unavailable

LONGEST_DELAY_S = 900
"""SQS delays a message by 15 minutes at most; what is later is the sweep's."""


class Queue:
    """One queue; messages are small JSON objects of keys."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, body: dict[str, Any], delay_s: int = 0) -> None:
        """Enqueue; Unavailable when it may be lost."""
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps(body),
                DelaySeconds=max(0, min(delay_s, LONGEST_DELAY_S)),
            )
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the queue: {type(error).__name__}") from error


class Visibility:
    """Hides messages that failed for longer and longer, by the queue they came from."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._urls: dict[str, str] = {}

    def back_off(self, arn: str, receipt: str, seconds: int) -> None:
        """Try that message again in `seconds`; never an error of its own."""
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url(arn), ReceiptHandle=receipt, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError):
            return  # it comes back after the queue's own timeout

    def _url(self, arn: str) -> str:
        if arn not in self._urls:
            name = arn.rpartition(":")[2]
            self._urls[arn] = str(self._client.get_queue_url(QueueName=name)["QueueUrl"])
        return self._urls[arn]
