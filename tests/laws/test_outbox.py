"""Law 6: at most one message per (subject, milestone, audience), whatever is retried, doubled,
raced or crashed. Exactly, by what the platform saw:

- keyed: it may be called again, always with the same key, so it drops repeats: one effect;
- traced and never: it accepts one call at most. A call whose end nobody knows is not made again.

And an item always comes to an end; one that was accepted never ends as free to be sent again.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.credentials import Credentials
from chalicelib.domain.outbox import OVER, Plan, as_json
from chalicelib.errors import NotSent, TimedOut
from chalicelib.events import Cause
from chalicelib.functions._delivery import Deliveries
from chalicelib.functions._facts import key
from chalicelib.functions._outbox import Outbox
from chalicelib.functions.sender import Sender
from chalicelib.jsons import text_of
from chalicelib.outbound import Call, Means, Outgoing, Resend, Response
from tests.fakes import NOON, Clock, Keys, MemoryQueue, MemoryTable
from tests.faults import Around, Crash
from tests.laws.said import BOB, WITH_BOB

END = ("ok", "refused", "busy", "never left", "lost on its way", "lost answer")
"""What may become of a call; of the last two nobody here can tell which it was."""


class Postman(Channel):
    """A channel of a kind: what it sends is only its key."""

    name = "line"
    means: ClassVar[tuple[Means, ...]] = ("token", "free")

    def __init__(self, resend: Resend) -> None:
        self.kind = resend

    @property
    def resend(self) -> Resend:  # type: ignore[override]
        return self.kind

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        return Call("POST", "https://platform.example", {"key": message.key, "by": message.means})

    def verify(self, request: Any, accounts: Any) -> Any: ...
    def items(self, document: Any, request: Any) -> Any: ...
    def facts(self, item: Any, request: Any) -> Any: ...


class Platform:
    """Accepts calls, or not; remembers the keys of what it accepted."""

    def __init__(self, ends: list[str]) -> None:
        self.ends = iter(ends)
        self.accepted: list[str] = []
        self.keys: set[str] = set()

    def send(self, call: Call, cause: str = "") -> Response:
        end = next(self.ends, "ok")
        self.keys.add(call.headers["key"])
        if end in ("ok", "lost answer"):
            self.accepted.append(call.headers["by"])
        if end == "never left":
            raise NotSent(end)
        if end.startswith("lost"):
            raise TimedOut(end)
        return Response({"ok": 200, "refused": 400, "busy": 429}[end])


Trouble = tuple[Literal["calm", "crash before", "crash after", "raced"], int]
troubles = st.tuples(
    st.sampled_from(["calm", "crash before", "crash after", "raced"]), st.integers(0, 7)
)
pauses = st.sampled_from([0, 1, 3, 61, 150, 700])


class Office:
    """One planned message and whoever may send it."""

    def __init__(self, resend: Resend, ends: list[str], token: bool) -> None:
        self.table, self.queue, self.clock = MemoryTable(), MemoryQueue(), Clock()
        self.platform, self.postman = Platform(ends), Postman(resend)
        self.plan = planned(self.clock())
        if token:
            until = "2026-11-20T12:10:00.000Z"
            where = {"pk": key("IDENTITY", BOB.path), "sk": "CONV#U-brand"}
            self.table.put({**where, "token": "once", "token_until": until})
        Outbox(self.table, self.queue).plan(self.plan, self.clock())

    def sender(self, around: Around) -> Sender:
        table = around("table", self.table)
        http, queue = around("http", self.platform), around("queue", self.queue)
        deliveries = Deliveries(table, http, Keys({}), channel=lambda name: self.postman)
        return Sender(table, queue, deliveries)

    def wake(self, trouble: Trouble) -> None:
        """Somebody wakes; a crash leaves the record where it was, to be received again."""
        kind, at = trouble
        body = {"outbox": [self.plan.pk, self.plan.sk]}

        def strike(number: int, gateway: str, method: str) -> None:
            if number == at:
                if kind == "raced":
                    list(self.sender(Around()).wake(body, self.clock()))
                else:
                    raise Crash

        around = Around(after=strike) if kind == "crash after" else Around(before=strike)
        try:
            list(self.sender(Around() if kind == "calm" else around).wake(body, self.clock()))
        except Crash:
            return

    def settle(self) -> None:
        """Woken by the sweep until nothing can happen any more."""
        for _ in range(200):
            over = self.item["state"] in OVER
            self.wake(("calm", 0))
            if over:
                return
            self.clock.forward(minutes=11)

    @property
    def item(self) -> dict[str, Any]:
        return self.table.items[self.plan.pk, self.plan.sk]

    def traced(self) -> None:
        """The platform's own status, which bears our key."""
        place = {"pk": key("SENT", self.plan.key), "sk": "STATUS"}
        self.table.put_newer({**place, "rank": "1#", "status": "sent"}, "rank")


def planned(now: datetime) -> Plan:
    message = Outgoing("", BOB, "U-brand", WITH_BOB, "Your order is on its way.")
    plan = Plan(
        subject="order/shop/1",
        milestone="shipped",
        audience="buyer",
        via="line",
        account="U-brand",
        body="",
        cause=Cause("CAUSE", "order/shop/1", 2, now),
        send_at=now,
        fresh_until=now + timedelta(hours=24),
    )
    body = {**as_json(message), "key": plan.key, "to": p.plain(BOB)}
    return Plan(**{**vars(plan), "body": text_of(body)})


@given(
    st.sampled_from(["keyed", "traced", "never"]),
    st.lists(st.sampled_from(END), max_size=4),
    st.lists(st.tuples(troubles, pauses), max_size=7),
    st.booleans(),
    st.booleans(),
)
def test_a_message_is_sent_once(
    resend: Resend,
    ends: list[str],
    life: list[tuple[Trouble, int]],
    token: bool,
    traces: bool,
) -> None:
    office = Office(resend, ends, token)
    for trouble, pause in life:
        office.wake(trouble)
        office.clock.forward(seconds=pause)
        if traces and office.platform.accepted:
            office.traced()
    office.settle()
    check(office, resend)


@pytest.mark.parametrize("resend", ["keyed", "traced", "never"])
@pytest.mark.parametrize("token", [False, True])
@pytest.mark.parametrize("kind", ["crash before", "crash after", "raced"])
def test_one_trouble_at_any_call(resend: Resend, token: bool, kind: Any) -> None:
    ends = set()
    for place in range(8):
        office = Office(resend, [], token)
        office.wake((kind, place))
        office.settle()
        check(office, resend)
        ends.add(office.item["state"])
    lost = kind != "raced" and (token or resend != "keyed")
    assert ends == ({"sent", "failed"} if lost else {"sent"})


def check(office: Office, resend: Resend) -> None:
    state, accepted = office.item["state"], office.platform.accepted
    assert state in OVER
    assert office.platform.keys <= {office.plan.key}
    if resend != "keyed":
        assert len(accepted) <= 1
    by = Counter(accepted)
    assert by["token"] <= 1, "a reply token works once"
    assert not (by["token"] and by["free"]), "what a token may have said is not pushed again"
    if state == "sent":
        assert accepted
    assert "gsi1pk" not in office.item, "what is over falls due no more"


@given(st.sampled_from(["keyed", "traced", "never"]), st.lists(troubles, min_size=1, max_size=4))
def test_two_senders_at_the_same_moment_call_once(resend: Resend, life: list[Trouble]) -> None:
    office = Office(resend, [], token=False)
    for _, at in life:
        office.wake(("raced", at))
    assert office.platform.accepted == ["free"]


@given(st.lists(st.integers(0, 3), max_size=6), st.sampled_from(["one", "two"]))
def test_the_first_plan_stays(repeats: list[int], other: str) -> None:
    """Whoever plans the same again, with another channel or text: the first is the message."""
    office = Office("keyed", [], token=False)
    outbox = Outbox(office.table, office.queue)
    before = dict(office.item)
    for _ in repeats:
        again = Plan(**{**vars(office.plan), "via": "whatsapp", "body": other})
        changed = Plan(**{**vars(again), "cause": Cause("ELSE", "c", 0, NOON)})
        assert outbox.plan(changed, NOON) is False
        assert outbox.plan(again, NOON) is True, "the same cause planned it, also when run again"
    assert office.item == before


def test_what_is_too_old_is_not_sent_and_is_said_to_be_so() -> None:
    office = Office("keyed", [], token=False)
    office.clock.forward(hours=25)
    body = {"outbox": [office.plan.pk, office.plan.sk]}
    [said] = list(office.sender(Around()).wake(body, office.clock()))
    assert said.type == "reply.blocked"
    assert isinstance(said.data, p.ReplyPlanned) and said.data.reason == "stale"
    assert not office.platform.accepted
