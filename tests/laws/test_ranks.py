"""Law 2: a status is a rank and never falls; a parcel is where its greatest scan is; a milestone
once reached stays reached, with its first time."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.domain import orders
from chalicelib.events import Event
from chalicelib.functions.profiles import Profiles
from tests.fakes import NOON, MemoryTable
from tests.laws.said import PLACED, SLOTS, changed, fact, histories, order, scanned, status

RANK = ("accepted", "sent", "failed", "delivered", "read", "played")
FURTHEST_LAST = (
    {"parcel.registered", "parcel.eta_changed"},
    {"parcel.handed_over"},
    {"parcel.in_transit"},
    {"parcel.available_for_pickup", "parcel.out_for_delivery"},
    {"parcel.attempt_failed", "parcel.exception"},
    {"parcel.returned"},
    {"parcel.delivered"},
)
"""EVENTS: of two scans at one moment the further one counts."""


def status_of(table: MemoryTable) -> dict[str, int]:
    items = {pk: item for (pk, _), item in table.items.items() if pk.startswith("SENT#")}
    return {pk: RANK.index(item["status"]) for pk, item in items.items()}


@given(st.lists(status(), max_size=8))
def test_a_status_never_falls_and_ends_at_the_highest(said: list[Event]) -> None:
    table = MemoryTable()
    before: dict[str, int] = {}
    for event in said:
        Profiles(table)(event, NOON)
        now = status_of(table)
        assert all(now[message] >= rank for message, rank in before.items())
        before = now
    highest: dict[str, int] = {}
    for event in said:
        assert isinstance(event.data, p.Status)
        message = f"SENT#whatsapp/phone-1/{event.data.message_id}"
        highest[message] = max(highest.get(message, 0), RANK.index(event.data.status))
    assert before == highest


@given(st.lists(scanned(), min_size=1, max_size=8).flatmap(st.permutations))
def test_a_parcel_is_where_its_greatest_scan_is(said: list[Event]) -> None:
    found = orders.parcel_status(said)
    assert found == max(said, key=scan_order)


def scan_order(event: Event) -> tuple[object, int, str]:
    """(scan time, rank, id) in the words of the law; a scan cannot be later than it was told."""
    assert isinstance(event.data, p.Parcel) and event.data.scan
    rank = next(n for n, types in enumerate(FURTHEST_LAST) if event.type in types)
    return (min(event.data.scan.at, event.effective), rank, event.id)


@given(histories().flatmap(st.permutations))
def test_a_late_fact_never_unreaches_a_milestone(history: list[Event]) -> None:
    """Of one order, as its partition fills up."""
    mine = [e for e in history if e.type.startswith("parcel.") or of(e, "1002")]
    before: dict[tuple[str, str], Event] = {}
    for n in range(len(mine)):
        reached = {(r.milestone, r.occasion): r.witness for r in orders.fold(mine[: n + 1]).reached}
        assert before.keys() <= reached.keys()
        moved = [k for k in before if k != ("paid", "") and reached[k].rank > before[k].rank]
        assert not moved, "the first time of a milestone is the least"
        before = reached


def of(event: Event, order_id: str) -> bool:
    match event.data:
        case p.Order(order_id=known) | p.Payment(order=p.OrderRef(order_id=known)):
            return known == order_id
    return False


@given(st.lists(changed(), min_size=1, max_size=5).flatmap(st.permutations))
def test_an_order_is_as_it_was_last_told_and_forgets_nothing(said: list[Event]) -> None:
    mine = [e for e in said if of(e, "1002")]
    latest = orders.fold([PLACED["1002"], *mine]).latest
    assert latest and (latest.order_number, str(latest.total)) == ("#1002", "30.00")
    notes = [e.data for e in sorted(mine, key=lambda e: e.rank) if e.type == "order.changed"]
    told = [data.note for data in notes if isinstance(data, p.Order) and data.note]
    assert latest.note == (told[-1] if told else None)


def test_two_sources_of_one_milestone_make_it_once_with_the_first_time() -> None:
    parcel = p.Parcel(
        channel="easypost", account="default", carrier="ups", tracking_number="1Z",
        orders=(p.OrderRef(shop="s", order_id="1"),),
    )  # fmt: skip
    late = fact("parcel.delivered", "late", SLOTS[3], parcel)
    early = fact("parcel.delivered", "early", SLOTS[1], parcel)
    placed = fact("order.placed", "placed", SLOTS[0], order("1"))
    [delivered] = [
        r for r in orders.fold([late, placed, early]).reached if r.milestone == "delivered"
    ]
    assert delivered.witness == early
