"""Cases: episodes of an issue, the clock of the first answer, who is acknowledged."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import cases
from chalicelib.domain.cases import FIRST_RESPONSE, REOPEN, Answered, Contact, Episode
from tests.fakes import NOON


def contact(hours: float, ident: str = "", **more: Any) -> Contact:
    at = NOON + timedelta(hours=hours)
    return Contact(at=at, id=ident or f"c{hours}", kind="message", **more)


def resolved(hours: float) -> Answered:
    return Answered(at=NOON + timedelta(hours=hours), id=f"r{hours}", kind="resolved")


def only(*facts: Contact) -> Episode:
    [found] = cases.episodes("order/s/1", facts)
    return found


def test_contacts_of_one_issue_are_one_case() -> None:
    assert [c.id for c in only(contact(2), contact(0), contact(1)).contacts] == ["c0", "c1", "c2"]


def test_a_contact_three_days_after_a_resolution_is_a_new_case() -> None:
    after = REOPEN.total_seconds() / 3600
    same = cases.episodes("i", [contact(0), contact(1 + after)], [resolved(1)])
    new = cases.episodes("i", [contact(0), contact(1.01 + after)], [resolved(1)])
    assert (len(same), len(new)) == (1, 2)
    assert new[0].case_id != new[1].case_id


def test_a_resolution_of_nothing_is_nothing() -> None:
    assert cases.episodes("i", [], [resolved(1)]) == []


def test_the_same_issue_and_episode_is_the_same_case_whoever_spoke_first() -> None:
    assert only(contact(0, "a")).case_id == only(contact(5, "b")).case_id
    assert only(contact(0)).case_id != cases.episodes("order/s/2", [contact(0)])[0].case_id


@pytest.mark.parametrize("severity", sorted(FIRST_RESPONSE))
def test_how_long_a_case_may_wait(severity: int) -> None:
    assert only(contact(0, severity=severity)).first_response_due == NOON + FIRST_RESPONSE[severity]


def test_a_worse_contact_shortens_the_wait_and_makes_a_new_clock() -> None:
    calm, worse = only(contact(0, severity=1)), only(contact(0, severity=1), contact(1, severity=4))
    assert worse.first_response_due == NOON + FIRST_RESPONSE[4] < calm.first_response_due
    assert worse.generation != calm.generation and worse.severity == 4


def test_a_milder_contact_changes_no_clock() -> None:
    assert (
        only(contact(0, severity=3), contact(1)).generation
        == only(contact(0, severity=3)).generation
    )


def test_who_is_acknowledged_is_the_first_person_not_the_hub() -> None:
    hub = contact(0, customer="line/a/b", by_hub=True)
    person, later = contact(1, customer="line/a/b"), contact(2, customer="line/a/c")
    assert only(hub, later, person).first_customer == person
    assert only(hub).first_customer is None
    assert only(contact(0)).first_customer is None


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([], "open"),
        ([Answered(NOON, "a", "acknowledged")], "answered"),
        ([Answered(NOON, "a", "acknowledged"), resolved(1)], "resolved"),
    ],
)
def test_the_state_of_a_case(answers: list[Answered], state: str) -> None:
    [found] = cases.episodes("i", [contact(-1)], answers)
    assert found.state == state
    assert found.answered_at == (answers[0].at if answers else None)


def test_what_it_is_about_is_what_anybody_named() -> None:
    named = [contact(0, about=("order #1",)), contact(1, about=("order #2", "order #1"))]
    assert only(*named).about == ("order #1", "order #2")


def test_the_case_of_a_contact() -> None:
    found = cases.episodes("i", [contact(0), contact(200)], [resolved(1)])
    assert cases.episode_of("c200", found) == found[1]
    assert cases.episode_of("nobody", found) is None


ids = st.sampled_from("abcdef")
times = st.integers(0, 30).map(lambda hours: NOON + timedelta(hours=hours))


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    at: datetime = draw(times)
    return Contact(at, f"{draw(ids)}-{at:%H}", "message", draw(st.integers(0, 4)))


@given(
    st.lists(contacts(), min_size=1, max_size=6, unique_by=lambda c: c.id),
    st.randoms(use_true_random=False),
)
def test_any_order_and_any_doubling_is_the_same_case(found: list[Contact], random: Any) -> None:
    arrival = [*found, *found[:2]]
    random.shuffle(arrival)
    assert cases.episodes("i", arrival) == cases.episodes("i", found)
    assert len(cases.episodes("i", found)) == 1
