"""The real bundle, deployed to the embedded AWS, over HTTP: a story, a crowd, and a large batch."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest
import urllib3

from chalicelib import sources
from chalicelib.source import Request, SignedSource
from parley import story
from parley.demo_hub import LiveHub, heard
from parley.hub import EmbeddedHub
from parley.replay import local_secrets
from parley.story import Run
from parley.story_play import outcome, refused, tell, tell_again, unchanged
from parley.tail import events, listening

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def hub() -> Iterator[EmbeddedHub]:
    with EmbeddedHub() as running:
        yield running


@pytest.fixture
def live(hub: EmbeddedHub) -> Iterator[LiveHub]:
    with heard(hub) as listening_hub:
        yield listening_hub


@pytest.fixture
def queue(hub: EmbeddedHub) -> Iterator[str]:
    with listening(hub.stage, f"parley-local-test-{uuid4().hex[:8]}") as url:
        yield url


def test_the_story_holds_and_holds_again(hub: EmbeddedHub, live: LiveHub) -> None:
    run = Run(story.load("parcel"), uuid4().hex, datetime.now(UTC))
    hub.recorder.prepare(run.answers)
    answered = tell(run, live)
    before = live.evidence()
    again = tell_again(run, live, seed=7)
    checks = [*outcome(run, answered, before), refused(again), *unchanged(before, live.evidence())]
    assert [detail for check in checks for detail in check.details] == []


def test_a_hundred_posts_from_four_threads_are_a_hundred_events(
    hub: EmbeddedHub, queue: str
) -> None:
    with ThreadPoolExecutor(4) as four:
        assert set(four.map(lambda n: post(hub, "line", text(f"9{n:05}")), range(100))) == {200}
    told = [message_id(event) for event in received(hub, queue, 100)]
    assert sorted(told) == sorted(f"9{n:05}" for n in range(100))


def test_a_post_is_on_the_bus_within_two_seconds_and_in_the_table(
    hub: EmbeddedHub, queue: str
) -> None:
    post(hub, "line", text("800001"))
    received(hub, queue, 1)
    began = time.monotonic()
    post(hub, "line", text("800002"))
    [event] = received(hub, queue, 1)
    assert time.monotonic() - began < 2
    assert (event["type"], message_id(event)) == ("message.received", "800002")
    hub.wait_idle()
    assert "800002" in {item.get("message_id", {}).get("S") for item in table(hub)}


def test_a_batch_of_three_by_two_by_two_is_twelve_messages_in_order(
    hub: EmbeddedHub, queue: str
) -> None:
    assert post(hub, "whatsapp", batch()) == 200
    told = [message_id(event) for event in received(hub, queue, 12)]
    assert told == [f"wamid.{n}" for n in range(12)]


def post(hub: EmbeddedHub, name: str, document: Any) -> int:
    source = sources.get(name)
    assert isinstance(source, SignedSource)
    body = json.dumps(document).encode()
    key = local_secrets()[name]["default"][source.signing_key]
    headers = source.sign(Request(body=body, now=datetime.now(UTC)), key)
    url = f"{hub.url}/webhooks/{name}"
    return urllib3.request("POST", url, body=body, headers=headers, timeout=35).status


def received(hub: EmbeddedHub, queue: str, count: int) -> list[dict[str, Any]]:
    """The next so many `message.received`, in the order in which they came."""
    messages = (e for e in events(hub.stage, queue) if e["type"] == "message.received")
    return list(islice(messages, count))


def message_id(event: dict[str, Any]) -> str:
    return str(event["data"]["message_id"])


def table(hub: EmbeddedHub) -> Iterator[dict[str, Any]]:
    pages = hub.aws("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=hub.stage.outputs["TableName"]):
        yield from page["Items"]


def text(message_id: str) -> dict[str, Any]:
    message = {"id": message_id, "type": "text", "text": "Do you ship to Osaka?"}
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": f"U{message_id:0>32}"},
        "webhookEventId": f"01KPARLEYTEST{message_id:0>13}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": f"token-{message_id}",
        "message": message,
    }
    return {"destination": "Ub6f4e0d2c1a84f7d9e3350c2a1f0e9d8", "events": [event]}


def batch() -> dict[str, Any]:
    numbers = iter(range(12))
    entries = [{"id": f"waba-{n}", "changes": [change(numbers) for _ in "12"]} for n in range(3)]
    return {"object": "whatsapp_business_account", "entry": entries}


def change(numbers: Iterator[int]) -> dict[str, Any]:
    said = [
        {
            "from": "15035550199",
            "id": f"wamid.{next(numbers)}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": "Do you ship to Osaka?"},
        }
        for _ in "12"
    ]
    about = {"display_phone_number": "15035550100", "phone_number_id": "106540352242922"}
    value = {"messaging_product": "whatsapp", "metadata": about, "messages": said}
    return {"field": "messages", "value": value}
