"""AWS in this process: moto behind the very clients that `wiring` makes.

`Wire` sees every request on its way and breaks what a test asks it to, through botocore's own
events, so the SDK's retries and our gateways run as they are.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse

from chalicelib import wiring
from chalicelib.events import Event
from chalicelib.functions import api
from infra import template

REGION = "us-east-1"
ENV = {
    "AWS_DEFAULT_REGION": REGION,
    "PARLEY_STAGE": "test",
    "PARLEY_BUS": "hub",
    "PARLEY_TABLE": "hub-table",
    "PARLEY_BUCKET": "hub-bucket",
    "PARLEY_VERIFY_SECRET": "parley/test/verify",
    "PARLEY_SEND_SECRET": "parley/test/send",
    "PARLEY_SETTINGS": "/parley/test/settings",
}
QUEUES = ("outbox", "clocks", "spill", "orders")
_THROTTLED = b'{"__type": "ThrottlingException", "message": "slow down"}'


@dataclass
class Wire:
    """What leaves (`sent`, one an HTTP request), what EventBridge took, and what goes wrong."""

    sent: list[str] = field(default_factory=list)
    delivered: list[dict[str, Any]] = field(default_factory=list)
    """Entries of PutEvents that reached the bus, in order, copies included."""
    latest: Any = None
    """Parameters of the latest call."""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    """(operation, parameters) of every call, retries of the SDK not among them."""
    watch: Any = None
    """Who looks at calls to the table: its `asked(operation, params)` and `answered(…, parsed)`."""
    disturbed: bool = False
    """The clients are not as new: the SDK counts its retries and gives up early."""
    _faults: dict[str, list[str]] = field(default_factory=dict)
    _refused: set[int] = field(default_factory=set)
    _held: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def fail(self, operation: str, how: str, times: int = 1) -> None:
        """`throttled` and `dropped` never reach AWS; of a `lost` one only the answer is."""
        self.disturbed = True
        self._faults.setdefault(operation, []).extend([how] * times)

    def after(self, event: str, change: Callable[[Any], None]) -> None:
        """`change` rewrites an answer, as AWS might have given it (`dynamodb.Query`)."""
        service = event.partition(".")[0].replace("eventbridge", "events")
        self.disturbed = True
        emitter = wiring.client(service).meta.events
        emitter.register_first(f"after-call.{event}", lambda parsed, **_: change(parsed))

    def refuse_entries(self, *places: int) -> None:
        """The next PutEvents is answered with these of its entries failed."""
        self._refused = set(places)

    def attach(self, emitter: Any) -> None:
        emitter.register_first("before-send", self._before)
        emitter.register_last("before-send", self._after)
        emitter.register_first("provide-client-params", self._params)
        emitter.register_first("after-call.eventbridge.PutEvents", self._answered)
        emitter.register_last("after-call.dynamodb", self._told)

    def clear(self) -> None:
        """As new."""
        vars(self).update(vars(Wire()))

    def _params(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        self.latest = params
        self.calls.append((model.name, params))
        if self.watch:
            self.watch.asked(model.name, params)
        if model.name == "PutEvents" and self._refused:
            numbered = list(enumerate(params["Entries"]))
            self._held = [(n, e) for n, e in numbered if n in self._refused]
            params = {"Entries": [e for n, e in numbered if n not in self._refused]}
        return params

    def _answered(self, parsed: dict[str, Any], **_: Any) -> None:
        if self._held and "Entries" in parsed:
            for place, _entry in self._held:
                parsed["Entries"].insert(place, {"ErrorCode": "InternalFailure"})
            parsed["FailedEntryCount"] = len(self._held)
            self._held, self._refused = [], set()

    def _told(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if self.watch:
            self.watch.answered(model.name, self.latest, parsed)

    def _before(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        self.sent.append(operation)
        fault = self._next(operation, ("throttled", "dropped"))
        if fault == "dropped":
            raise EndpointConnectionError(endpoint_url=request.url)
        if fault == "throttled":
            request.url = "https://nowhere.invalid/"  # moto is asked too, and must not know it
            return AWSResponse(request.url, 400, {}, MockRawResponse(_THROTTLED))
        return None

    def _after(self, event_name: str, request: Any, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        if operation == "PutEvents" and "nowhere.invalid" not in request.url:
            self.delivered += json.loads(request.body)["Entries"]
        if self._next(operation, ("lost",)):
            raise ReadTimeoutError(endpoint_url=request.url)

    def _next(self, operation: str, kinds: tuple[str, ...]) -> str | None:
        waiting = self._faults.get(operation, [])
        return waiting.pop(0) if waiting and waiting[0] in kinds else None


class Aws:
    """The hub's own resources, empty, with the table as `hub.yaml` declares it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        wiring.client("dynamodb").create_table(TableName=ENV["PARLEY_TABLE"], **table_properties())
        wiring.client("events").create_event_bus(Name=ENV["PARLEY_BUS"])
        self.queues = {name: self._queue(name) for name in QUEUES}
        wire.sent.clear()

    def _queue(self, name: str) -> str:
        return str(wiring.client("sqs").create_queue(QueueName=name)["QueueUrl"])

    def bucket(self) -> None:
        """The claim bucket, for tests that need one: S3's client is slow to make."""
        wiring.client("s3").create_bucket(Bucket=ENV["PARLEY_BUCKET"])
        self.wire.sent.clear()

    def secret(self, name: str, document: Any) -> None:
        """`verify` or `send`; again for a new version."""
        client, known = wiring.client("secretsmanager"), ENV[f"PARLEY_{name.upper()}_SECRET"]
        text = document if isinstance(document, str) else json.dumps(document)
        try:
            client.create_secret(Name=known, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=known, SecretString=text)
        self.wire.sent.clear()

    def settings(self, document: Any) -> None:
        text = json.dumps(document)
        name = ENV["PARLEY_SETTINGS"]
        wiring.client("ssm").put_parameter(Name=name, Value=text, Type="String", Overwrite=True)
        self.wire.sent.clear()

    def heard(self) -> list[Event]:
        """What the bus delivers, copies included."""
        return [Event.parse(json.loads(entry["Detail"])) for entry in self.wire.delivered]

    def said(self) -> list[str]:
        """Its types."""
        return [entry["DetailType"] for entry in self.wire.delivered]

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Bodies waiting in a queue, taken out of it; delayed ones stay."""
        url, client = self.queues[queue], spare("sqs")
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        found = answer.get("Messages", [])
        for message in found:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table, as DynamoDB holds it."""
        answer: Any = spare("dynamodb").scan(TableName=ENV["PARLEY_TABLE"])
        return list(answer["Items"])

    def only(self, pk: str, sk: str = "") -> list[str]:
        """The key of the one item whose keys begin so."""
        keys = [(i["pk"]["S"], i["sk"]["S"]) for i in self.items()]
        [found] = [k for k in keys if k[0].startswith(pk) and k[1].startswith(sk)]
        return list(found)

    def fill_slot(self, text: str) -> None:
        """As `sender` does, by a hand that is not counted."""
        item = dict(zip(("pk", "sk"), self.only("SLOT#"), strict=True))
        item |= {"state": "filled", "text": text}
        spare("dynamodb").put_item(TableName=ENV["PARLEY_TABLE"], Item=packed(item))


@cache
def table_properties() -> dict[str, Any]:
    """HubTable of hub.yaml, as far as CreateTable takes it."""
    properties: dict[str, Any] = template.hub()["Resources"]["HubTable"]["Properties"]
    aside = ("TimeToLiveSpecification", "PointInTimeRecoverySpecification", "SSESpecification")
    return {name: value for name, value in properties.items() if name not in aside}


@cache
def _unwatched() -> Any:
    import botocore.session

    return botocore.session.Session()


@cache
def spare(service: str) -> Any:
    """A client of the test's own, which no hook sees; moto holds whatever it holds."""
    return _unwatched().create_client(
        service, REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


@cache
def _wire() -> Wire:
    """The one on every client that `wiring` makes from here on."""
    wiring.client.cache_clear()
    wire = Wire()
    wire.attach(wiring._session().get_component("event_emitter"))
    return wire


def wired() -> Iterator[Aws]:
    """The resources, with fresh gateways in front of them and none left behind."""
    forget()
    wire = _wire()
    wire.clear()
    yield Aws(wire)
    if wire.disturbed:
        wiring.client.cache_clear()
    wire.clear()
    forget()


def forget() -> None:
    """The gateways that `wiring` has made; clients are slow to make, and stay."""
    for name, made in vars(wiring).items():
        if name not in ("_session", "client") and hasattr(made, "cache_clear"):
            made.cache_clear()
    api.door.cache_clear()


def packed(item: dict[str, Any]) -> dict[str, Any]:
    """An item as the API writes it."""
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}
