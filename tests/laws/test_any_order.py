"""Law 1: any permutation and any duplication of the same events leaves the same state, and says
the same to the outside.

Exactly: equal are the folds of orders (facts, milestones, witnesses, projections), parcels,
statuses, consents, sights and cases. Every `order.updated` of the final fold was said, under its
witness's id, and no milestone beyond the fold's was. The same keys are planned for buyers and
shippers; each ends sent or superseded by further news of the same parcel, and is sent once. Each
customer's contact is told to the desk once, and each case is opened there once.
"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.domain.outbox import Planned
from chalicelib.events import Event, caused_id
from tests.laws import views
from tests.laws.said import arrivals, histories
from tests.world import World


def lived(arrival: list[Event], seed: int | None = None) -> World:
    """A hub that heard these, in this order; with a seed, its queues are out of order too."""
    world = World(views.Bank(arrival), seed or 0)
    world.settings["shippers"] = ["standard_webhooks"]
    world.hear(arrival)
    world.drain(shuffled=seed is not None)
    world.tick(minutes=20)
    world.tick(minutes=1)
    assert not world.failures
    return world


@st.composite
def pairs(draw: st.DrawFn) -> tuple[World, World]:
    """The same history: as it happened, and as it arrived."""
    history = draw(histories())
    arrival = draw(arrivals(history))
    return lived(history), lived(arrival, draw(st.integers(0, 2**16)))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """One history, as it arrived."""
    return lived(draw(arrivals(draw(histories()))), draw(st.integers(0, 2**16)))


@given(pairs())
def test_state_is_the_same(pair: tuple[World, World]) -> None:
    plain, other = pair
    assert views.of_orders(plain) == views.of_orders(other)
    assert views.of_parcels(plain) == views.of_parcels(other)
    assert views.of_registers(plain) == views.of_registers(other)
    assert views.of_cases(plain) == views.of_cases(other)


@given(pairs())
def test_the_same_is_planned(pair: tuple[World, World]) -> None:
    first, second = (set(map(places, views.plans(world).values())) - {None} for world in pair)
    assert first == second


@given(worlds())
def test_every_milestone_was_said_by_its_witness_and_none_besides(world: World) -> None:
    said = {e.id for e in world.bus if e.type == "order.updated"}
    reached = set()
    for state in views.order_states(world).values():
        for r in state.reached:
            assert state.placed
            name = f"{state.placed.subject}#{r.milestone}/{r.occasion}"
            assert caused_id(r.witness.id, "order.updated", name) in said
            reached.add((state.placed.subject, r.milestone, r.occasion))
    assert views.told_milestones(world) == reached


@given(worlds())
def test_one_id_is_one_fact(world: World) -> None:
    """Whoever says a fact again says it under the same id; no two facts share one."""
    named: dict[str, tuple[str, ...]] = {}
    for event in world.bus:
        data = event.data
        which = (data.milestone, data.occasion) if isinstance(data, p.OrderUpdated) else ()
        assert named.setdefault(event.id, (event.type, event.subject, *which)) == (
            event.type,
            event.subject,
            *which,
        )
    plans = views.plans(world)
    assert len(plans) == sum(len(items) for _, items in views.partitions(world, "OUTBOX#"))


@given(worlds())
def test_nothing_is_said_twice_and_only_older_news_is_left_out(world: World) -> None:
    plans = views.plans(world)
    assert isinstance(world.outside, views.Bank)
    assert not views.twice(world.outside.messages)
    states = Counter(plan.state for plan in plans.values())
    assert set(states) <= {"sent", "superseded"}
    assert len(world.outside.messages) == states["sent"]
    assert all(overtaken(plan, plans) for plan in plans.values() if plan.state == "superseded")


@given(worlds())
def test_a_desk_and_the_customer_hear_of_each_case_once(world: World) -> None:
    plans, found = views.plans(world).values(), views.episodes(world)
    every = {f"case/{episode.case_id}": 1 for episode in found}
    desk = [plan for plan in plans if plan.audience == "desk"]
    assert Counter(plan.subject for plan in desk if plan.milestone == "opened") == every
    spoke = [plan for plan in desk if plan.milestone.startswith(("opened", "contact-"))]
    told = Counter(plan.cause.id for plan in spoke)
    assert all(told[c.id] == 1 for e in found for c in e.contacts if not c.by_hub)
    spoken = {f"case/{episode.case_id}": 1 for episode in found if episode.first_customer}
    assert Counter(plan.subject for plan in plans if plan.milestone == "acknowledged") == spoken


def places(plan: Planned) -> tuple[str, str] | None:
    """What names a message for ever; which contact the desk hears as the first is the order's."""
    return None if plan.audience == "desk" else (plan.subject, plan.sk)


NEWS = (
    "confirmed",
    "paid",
    "shipped",
    "out_for_delivery ready_for_pickup",
    "attempt_failed exception",
)
"""How far an order is, the nearest first; `delivered` is the furthest."""


def overtaken(plan: Planned, plans: dict[str, Planned]) -> bool:
    """Whether further news of the same parcel, or of the whole order, was said instead."""
    others = [o for o in plans.values() if o.subject == plan.subject and o.state == "sent"]
    return any(far(o) > far(plan) and parcel(plan) in ("", parcel(o)) for o in others)


def far(plan: Planned) -> int:
    if plan.milestone == "delivered":
        return len(NEWS)
    return next((n for n, news in enumerate(NEWS) if plan.milestone in news.split()), -1)


def parcel(plan: Planned) -> str:
    return plan.sk.split("#")[1].partition("@")[0]
