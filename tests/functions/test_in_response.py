"""Where the answer travels in the HTTP response, exactly one side gives it: the door, or a push."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib import sources
from chalicelib.domain.outbox import Plan, as_json
from chalicelib.functions._delivery import Deliveries
from chalicelib.functions._outbox import Outbox
from chalicelib.functions.sender import Sender
from chalicelib.outbound import Outgoing, Response
from chalicelib.source import Answer, text_of
from tests.fakes import Keys, MemoryQueue, Outside
from tests.functions.hall import DOCUMENT, USER, Hall, Passive, line_body, signed
from tests.samples import NOW


class Meeting:
    """A delivery at the door, and an answer that `sender` has; `when` brings them together."""

    def __init__(self, when: float = 99, **instead: Any) -> None:
        self.when, self.passive = when, Passive()
        self.hall = Hall(find=lambda name: self.passive, pause=self.pause, **instead)
        self.outside, self.queue = Outside(lambda call: Response(200, {}, b"{}")), MemoryQueue()
        deliveries = Deliveries(
            self.hall.table, self.outside, Keys(DOCUMENT), channel=lambda name: self.passive
        )
        self.sender = Sender(self.hall.table, self.queue, deliveries)
        self.said: list[str] = []

    def pause(self, seconds: float) -> None:
        self.hall.clock.forward(seconds=seconds)
        if (self.hall.clock() - NOW).total_seconds() >= self.when:
            self.when = 99
            self.speak()

    def speak(self, behind: float = 0) -> None:
        """What `replies` planned for the delivery, and `sender` when it wakes."""
        now = self.hall.clock() - timedelta(seconds=behind)
        plan = planned(self.hall)
        Outbox(self.hall.table, self.queue).plan(plan, now)
        self.said += [e.type for e in self.sender.wake({"outbox": [plan.pk, plan.sk]}, now)]

    def post(self) -> Answer:
        return self.hall.answer("line", signed(line_body()))

    @property
    def slot(self) -> dict[str, Any]:
        [found] = [i for (pk, _), i in self.hall.table.items.items() if pk.startswith("SLOT#")]
        return found


def planned(hall: Hall) -> Plan:
    event = hall.bus[0]
    assert isinstance(event.data, p.Message) and event.data.author.identity
    who = event.data.author.identity
    out = Outgoing(
        key="k",
        to=who,
        account="Ubrand",
        conversation_id=event.data.conversation_id,
        text="Here is your answer",
    )
    return Plan(
        subject=event.subject,
        milestone="answer",
        audience="buyer",
        via="line",
        account="Ubrand",
        body=text_of({**as_json(out), "to": p.plain(who)}),
        cause=event.cause,
        send_at=NOW,
        fresh_until=NOW + timedelta(hours=1),
    )


def test_an_answer_in_time_travels_in_the_response_and_nothing_is_pushed() -> None:
    meeting = Meeting(when=1.0)
    assert meeting.post() == Answer("<say>Here is your answer</say>", 200, "text/xml")
    assert meeting.outside.calls == [] and meeting.said == ["message.accepted"]
    assert meeting.hall.clock() - NOW < timedelta(seconds=1.2)


def test_an_answer_too_late_is_pushed_and_the_response_is_plain() -> None:
    meeting = Meeting()
    assert meeting.post() == Answer("ok")
    assert meeting.hall.clock() - NOW == pytest.approx(timedelta(seconds=3.5), abs=timedelta(0.1))
    meeting.speak()
    assert [call.url for call in meeting.outside.calls] == [
        "https://api.line.me/v2/bot/message/push"
    ]
    assert meeting.said == ["message.accepted"]


@pytest.mark.parametrize("when", [0.1 * n for n in range(1, 60, 3)])
def test_at_whatever_moment_they_meet_exactly_one_side_answers(when: float) -> None:
    meeting = Meeting(when=when)
    told = meeting.post()
    if meeting.when != 99:  # the door had shut before
        meeting.speak()
    assert (told.content_type == "text/xml") + len(meeting.outside.calls) == 1
    assert meeting.said == ["message.accepted"]


class Between:
    """The table, with something happening right before one of its calls."""

    def __init__(self, table: Any, name: str, what: Callable[[], None]) -> None:
        self.table, self.name, self.what = table, name, what

    def __getattr__(self, name: str) -> Any:
        if name == self.name:
            self.name = ""
            self.what()
        return getattr(self.table, name)


def test_an_answer_between_the_last_look_and_the_closing_is_given() -> None:
    meeting = Meeting()
    table = meeting.hall.table
    late = Between(table, "change", lambda: meeting.speak(behind=0.2))  # by its own clock
    meeting.hall = Hall(find=lambda name: meeting.passive, pause=meeting.pause, table=lambda: late)
    meeting.hall.table = table
    assert meeting.post().content_type == "text/xml"
    assert meeting.outside.calls == [] and meeting.slot["state"] == "filled"


def test_a_door_that_shuts_while_sender_looks_leaves_the_push() -> None:
    meeting = Meeting()
    table = meeting.hall.table
    meeting.post()
    slot = {**meeting.slot, "state": "open", "until": "2099-01-01T00:00:00.000Z"}
    table.put(slot)
    place = (slot["pk"], slot["sk"])
    shut = lambda: table.change(*place, {"state": "closed"}, when={"state": "open"})  # noqa: E731
    changes = iter([lambda: None, shut])  # the claim, then the slot

    class Racing:
        def __getattr__(self, name: str) -> Any:
            if name == "change":
                next(changes, lambda: None)()
            return getattr(table, name)

    racing: Any = Racing()
    deliveries = Deliveries(
        racing, meeting.outside, Keys(DOCUMENT), channel=lambda name: meeting.passive
    )
    meeting.sender = Sender(racing, meeting.queue, deliveries)
    meeting.speak()
    assert len(meeting.outside.calls) == 1 and meeting.slot["state"] == "closed"


def test_sent_again_a_delivery_gets_the_answer_it_had() -> None:
    meeting = Meeting(when=1.0)
    first = meeting.post()
    assert meeting.post() == first
    assert meeting.outside.calls == [] and meeting.said == ["message.accepted"]


def test_sent_again_after_a_push_a_delivery_is_told_at_once() -> None:
    meeting = Meeting()
    meeting.post()
    meeting.speak()
    before = meeting.hall.clock()
    assert meeting.post() == Answer("ok")
    assert meeting.hall.clock() == before and len(meeting.outside.calls) == 1


def test_the_slot_is_made_before_the_fact_is_published() -> None:
    """Who hears the fact could answer at once; the slot must be there."""
    seen: list[int] = []
    meeting = Meeting(when=0.1)
    bus = meeting.hall.bus
    publish = bus.publish

    class Watched:
        def publish(self, events: Any) -> None:
            seen.append(len(meeting.hall.table.items))
            publish(events)

    watched = Hall(find=lambda name: meeting.passive, pause=meeting.pause, bus=Watched(),
                   table=lambda: meeting.hall.table)  # fmt: skip
    watched.bus, watched.table = bus, meeting.hall.table
    meeting.hall = watched
    assert meeting.post().content_type == "text/xml" and seen == [1]


def test_a_slot_is_gone_by_itself_and_holds_no_words_but_the_answer() -> None:
    meeting = Meeting()
    meeting.post()
    slot = meeting.slot
    assert (
        slot["pk"] == f"SLOT#identity/line/Ubrand/{USER}" and slot["sk"] == meeting.hall.bus[0].id
    )
    assert slot["expires"] == pytest.approx(NOW.timestamp() + 3600, abs=10)
    assert set(slot) == {"pk", "sk", "state", "until", "expires"}


def test_a_channel_that_is_answered_elsewhere_has_no_slot_and_does_not_wait() -> None:
    hall = Hall(find=sources.get)
    hall.answer("line", signed(line_body()))
    assert hall.table.items == {} and hall.clock() == NOW


def test_a_delivery_that_says_nothing_does_not_wait() -> None:
    meeting = Meeting()
    body = json.dumps({"destination": "Ubrand", "events": []}).encode()
    assert meeting.hall.answer("line", signed(body)).status == 200
    assert meeting.hall.table.items == {} and meeting.hall.clock() == NOW
