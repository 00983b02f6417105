"""Every reaction as its Lambda runs it: batches of SQS through the shell, real gateways, moto."""

import json
from collections.abc import Callable
from typing import Any

from chalicelib import wiring
from chalicelib.events import Event, iso
from chalicelib.functions._delivery import Deliveries
from chalicelib.functions._outbox import Outbox
from chalicelib.functions._shell import Shell
from chalicelib.functions.escalations import Escalations
from chalicelib.functions.intake import Intake, reading
from chalicelib.functions.journal import Journal
from chalicelib.functions.orders import Orders
from chalicelib.functions.payments import Payments
from chalicelib.functions.profiles import Profiles
from chalicelib.functions.replies import Replies
from chalicelib.functions.sender import Sender
from chalicelib.functions.shippers import Shippers
from chalicelib.functions.sweep import Sweep
from chalicelib.functions.triage import Triage
from chalicelib.outbound import Call, Response
from chalicelib.reading import reader
from tests.fakes import Clock, Keys, Outside
from tests.functions.logs import kept
from tests.functions.rest import Context
from tests.gateways.aws import Aws
from tests.samples import NOW

ARN = "arn:aws:sqs:us-east-1:123456789012:orders"
SETTINGS = {
    "shippers": ["easypost"],
    "desks": ["slack"],
    "shop": "shopify:lumen-lamps.myshopify.com",
}
SECRETS = {
    "line": {"default": {"channel_access_token": "t"}},
    "whatsapp": {"default": {"access_token": "t"}},
    "shopify": {"default": {"access_token": "t"}},
    "easypost": {"default": {"api_key": "k"}},
    "slack": {"default": {"bot_token": "xoxb", "channel": "C1"}},
    "standard_webhooks": {
        "default": {"reread_url": "https://till.example/{payment_id}", "reread_key": "k"}
    },
}


def platforms(call: Call) -> Response:
    """What each platform says to a call that it takes."""
    if "facebook" in call.url:
        return Response(200, {}, b'{"messages": [{"id": "wamid.OUT"}]}')
    if "line.me" in call.url:
        return Response(200, {}, b'{"sentMessages": [{"id": "4612"}]}')
    if "slack" in call.url:
        return Response(200, {}, b'{"ok": true, "ts": "1700000000.000100"}')
    if "till.example" in call.url:
        return Response(200, {}, b'{"status": "captured", "amount": "4200", "currency": "JPY"}')
    return Response(201, {}, b'{"id": "trk_1", "tracking_code": "1Z999AA10123456784"}')


class Hub:
    """The reactions, by name."""

    def __init__(
        self, aws: Aws, answer: Callable[[Call], Response] = platforms, settings: Any = None
    ) -> None:
        self.aws, self.clock, self.outside = aws, Clock(NOW), Outside(answer)
        self.log, self.records = kept("hub")
        self.shell = Shell(wiring.bus(), wiring.visibility(), self.clock, self.log)
        self.reactions = self._reactions(dict(SETTINGS) if settings is None else settings)

    def _reactions(self, settings: dict[str, Any]) -> dict[str, Any]:
        table, queue, keys = wiring.table(), wiring.outbox_queue(), Keys(SECRETS)
        outbox = Outbox(table, queue)
        return {
            "intake": Intake(wiring.bus(), reading),
            "triage": Triage(reader()),
            "payments": Payments(self.outside, keys),
            "orders": Orders(table),
            "shippers": Shippers(outbox, lambda: settings),
            "escalations": Escalations(table, outbox, wiring.clocks_queue(), lambda: settings),
            "replies": Replies(table, outbox),
            "sender": Sender(table, queue, Deliveries(table, self.outside, keys)),
            "profiles": Profiles(table),
        }

    def deliver(self, name: str, *events: Event) -> list[str]:
        """A batch of events for one reaction; which records failed."""
        if name == "journal":
            Journal(wiring.table())(events)
            return []
        return self.batch(name, *map(enveloped, events))

    def wake(self, name: str, *bodies: dict[str, Any]) -> list[str]:
        """A batch of what is no event: outbox keys, clock keys, spilled entries."""
        return self.batch(name, *bodies)

    def batch(self, name: str, *bodies: Any) -> list[str]:
        reaction = self.reactions[name]
        wake = getattr(reaction, "wake", None)
        told = self.shell.consume(reaction, records(*bodies), Context(), wake)
        return [failed["itemIdentifier"] for failed in told["batchItemFailures"]]

    def sweep(self) -> int:
        queues = {"OUTBOX": wiring.outbox_queue(), "CLOCK": wiring.clocks_queue()}
        return Sweep(wiring.table(), queues)(self.clock())

    def planned(self) -> list[dict[str, Any]]:
        """What was put on the outbox's queue, delayed or not, since the last look."""
        sent = [p for name, p in self.aws.wire.calls if name == "SendMessage"]
        self.aws.wire.calls.clear()
        mine = [json.loads(p["MessageBody"]) for p in sent if p["QueueUrl"].endswith("outbox")]
        return list({json.dumps(body): body for body in mine}.values())

    def item(self, pk: str, sk: str) -> dict[str, Any]:
        found = wiring.table().get(pk, sk)
        assert found is not None, (pk, sk)
        return found


def enveloped(event: Event) -> dict[str, Any]:
    """What EventBridge puts on a queue."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": event.type,
        "source": "parley." + event.type.partition(".")[0],
        "account": "123456789012",
        "time": iso(event.recordedtime),
        "region": "us-east-1",
        "resources": [event.subject],
        "detail": json.loads(json.dumps(event.detail())),
    }


def records(*bodies: Any, tries: int = 1, arn: str = ARN) -> dict[str, Any]:
    """A batch as Lambda's mapping hands it over; a `str` body is as it is."""
    return {
        "Records": [
            {
                "messageId": str(number),
                "receiptHandle": f"receipt-{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(tries)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
