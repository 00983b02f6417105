"""Everything the hub does, piece by piece: what was there before, and the work itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import app
from chalicelib import wiring
from chalicelib.events import Event
from chalicelib.outbound import Response
from tests import samples
from tests.functions import facts, rest
from tests.functions.facts import heard, said
from tests.functions.hall import DOCUMENT, SECRET, Hall, Passive, line_body, signed
from tests.functions.hub import Hub
from tests.samples import NOW

Step = Callable[[Hub], Any]
BODIES = {str(sample): sample.body for sample in samples.of_project()}
TILL = heard("standard_webhooks/payment_captured")
AGAIN = replace(
    facts.classified(facts.COMPLAINT + " Hello??", "whatsapp/text_reply"),
    time=NOW + timedelta(seconds=1),
)
EARLIER = replace(said("hello"), time=NOW - timedelta(hours=1))
HUNDRED = [replace(said("hello"), id=f"{n:026}") for n in range(100)]
STOPPED = heard("whatsapp/preferences_stop", purpose="all")


def nothing(hub: Hub) -> None:
    """The table is empty."""


def told(name: str, *given: Event) -> Step:
    """One batch of events for a reaction."""
    return lambda hub: hub.deliver(name, *given)


def first(*steps: Step) -> Step:
    return lambda hub: [step(hub) for step in steps]


def post(body: bytes, key: str = SECRET, name: str = "line") -> Step:
    """A delivery through the Chalice app, as API Gateway hands it over."""
    event = rest.event(f"/webhooks/{name}", body, dict(signed(body, name, key).headers))
    return lambda hub: app.app(event, rest.Context())


def challenge(hub: Hub) -> Any:
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": "the-verify-token",
    }
    return app.app(rest.event("/webhooks/whatsapp", method="GET", query=query), rest.Context())


def cold(hub: Hub) -> None:
    hub.aws.secret("verify", DOCUMENT)


def warm(hub: Hub) -> None:
    """The function ran before: its secrets are cached."""
    cold(hub)
    challenge(hub)


def in_response(*, answered: bool) -> Step:
    """A channel that is answered inside the response; `sender` fills the slot, or does not."""

    def act(hub: Hub) -> Any:
        def pause(seconds: float) -> None:
            hall.clock.forward(seconds=seconds)
            if answered:
                hub.aws.fill_slot("Here is your answer")

        hall = Hall(find=lambda name: Passive(), pause=pause, bus=wiring.bus(), table=wiring.table)
        return hall.answer("line", signed(line_body()))

    return act


def spilled(hub: Hub) -> Any:
    return hub.wake("intake", {**hub.aws.wire.delivered[0], "Time": "2026-11-23T12:00:00.000Z"})


def woken(hub: Hub) -> Any:
    """`sender` wakes for the one plan there is."""
    [pk, sk] = hub.aws.only("OUTBOX#")
    return hub.wake("sender", {"outbox": [pk, sk]})


def overdue(hub: Hub) -> Any:
    hub.clock.forward(hours=1)
    return hub.wake("escalations", {"clock": hub.aws.only("CASE#", "CLOCK#")})


def impatient(hub: Hub) -> None:
    hub.outside.answer = lambda call: Response(429, {"retry-after": "60"}, b"{}")


ASKED = told("orders", facts.OF_CHAT, facts.CART)
SHIPPED = first(ASKED, told("orders", facts.PAID, facts.FULFILLED))
"""An order asked for in a chat, paid, in one parcel."""
PLANNED = first(told("profiles", said("hello")), told("replies", facts.updated()))
"""A message to a customer who wrote today."""
OPENED = told("escalations", facts.classified())

WORK: dict[str, tuple[Step, Step]] = {  # what is counted, and what was before
    "api: a delivery of one message": (post(line_body()), warm),
    "api: a delivery of twelve": (post(BODIES["whatsapp/batch"], name="whatsapp"), warm),
    "api: a challenge": (challenge, warm),
    "api: a forged delivery": (post(line_body(), "forged"), warm),
    "api: the first delivery after a cold start": (post(line_body()), cold),
    "api: the answer travels in the response": (in_response(answered=True), nothing),
    "api: the answer is waited for in vain": (in_response(answered=False), nothing),
    "intake: an entry that was spilled": (
        spilled,
        lambda hub: wiring.bus().publish([facts.CART]),
    ),
    "triage: a message": (told("triage", said("Where is my order?")), nothing),
    "triage: a message that says stop": (told("triage", said("STOP")), nothing),
    "payments: a claim of money": (told("payments", TILL), nothing),
    "orders: an order": (told("orders", facts.PLACED), nothing),
    "orders: an order that answers a chat": (
        told("orders", facts.OF_CHAT),
        told("orders", facts.CART),
    ),
    "orders: a cart in a chat": (told("orders", facts.CART), nothing),
    "orders: verified money": (told("orders", facts.PAID), ASKED),
    "orders: a fulfilment that names a parcel": (
        told("orders", facts.FULFILLED),
        first(ASKED, told("orders", facts.PAID)),
    ),
    "orders: a scan of a parcel of an order": (told("orders", facts.SCANNED), SHIPPED),
    "orders: a scan of a parcel nobody named": (told("orders", facts.SCANNED), nothing),
    "shippers: an order is paid": (told("shippers", facts.updated()), nothing),
    "escalations: a complaint": (OPENED, nothing),
    "escalations: the customer writes again": (told("escalations", AGAIN), OPENED),
    "escalations: a parcel of an order breaks": (told("escalations", facts.BROKEN), SHIPPED),
    "escalations: a parcel breaks that nobody named": (
        told("escalations", facts.BROKEN),
        nothing,
    ),
    "escalations: a late answer": (overdue, OPENED),
    "replies: a milestone": (
        told("replies", facts.updated()),
        told("profiles", said("hello")),
    ),
    "replies: a milestone that may not be told": (
        told("replies", facts.updated()),
        told("profiles", STOPPED),
    ),
    "sender: a message on WhatsApp": (woken, PLANNED),
    "sender: a shipper is asked": (woken, told("shippers", facts.updated())),
    "sender: a desk is told": (woken, OPENED),
    "sender: the platform asks for patience": (woken, first(PLANNED, impatient)),
    "sender: woken again when all is over": (woken, first(PLANNED, woken)),
    "profiles: a message": (told("profiles", said("hello")), nothing),
    "profiles: a message older than the last": (
        told("profiles", EARLIER),
        told("profiles", said("hello")),
    ),
    "profiles: a delivery status": (
        told("profiles", heard("whatsapp/status_delivered")),
        nothing,
    ),
    "profiles: a consent": (told("profiles", STOPPED), nothing),
    "journal: an event": (told("journal", said("hello")), nothing),
    "journal: a hundred events": (told("journal", *HUNDRED), nothing),
    "sweep: a minute in which nothing is due": (lambda hub: hub.sweep(), nothing),
    "sweep: a minute in which one thing is": (lambda hub: hub.sweep(), PLANNED),
}
