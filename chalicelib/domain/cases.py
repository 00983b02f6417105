"""Cases: one issue, one customer, one promise to resolve it. A fold of contacts and answers.

An issue is named by the order it is about, else the parcel, payment, post or person. A contact
later than 72 h after a resolution begins a new episode, which is a new case.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.events import caused_id, iso

REOPEN = timedelta(hours=72)
FIRST_RESPONSE = {
    0: timedelta(hours=8),
    1: timedelta(hours=8),
    2: timedelta(hours=4),
    3: timedelta(hours=1),
    4: timedelta(minutes=15),
}
"""How long a case of each severity may wait for a first answer."""


@dataclass(frozen=True, order=True)
class Contact:
    """Somebody, or the hub itself, spoke of the issue."""

    at: datetime
    id: str
    kind: str
    severity: int = 0
    channel: str = ""
    account: str = ""
    visibility: str = "private"
    customer: str = ""
    conversation_id: str = ""
    about: tuple[str, ...] = ()
    by_hub: bool = False
    """The hub saw it go wrong itself; the customer is told elsewhere."""


@dataclass(frozen=True, order=True)
class Answered:
    """A person acknowledged or resolved it."""

    at: datetime
    id: str
    kind: str


@dataclass(frozen=True)
class Episode:
    """One case: the contacts of it in order, and what people did."""

    issue: str
    number: int
    contacts: tuple[Contact, ...]
    answers: tuple[Answered, ...] = ()

    @property
    def case_id(self) -> str:
        """Derived from issue and episode, so that every permutation finds the same case."""
        return "C" + caused_id(self.issue, "case", str(self.number))[:12]

    @property
    def witness(self) -> Contact:
        """The contact that opened it."""
        return self.contacts[0]

    @property
    def first_customer(self) -> Contact | None:
        """The first contact by a person, who deserves an answer."""
        return next((c for c in self.contacts if c.customer and not c.by_hub), None)

    @property
    def severity(self) -> int:
        return max(c.severity for c in self.contacts)

    @property
    def about(self) -> tuple[str, ...]:
        return tuple(sorted({a for c in self.contacts for a in c.about}))

    @property
    def resolved_at(self) -> datetime | None:
        return next((a.at for a in self.answers if a.kind == "resolved"), None)

    @property
    def answered_at(self) -> datetime | None:
        return self.answers[0].at if self.answers else None

    @property
    def state(self) -> str:
        if self.resolved_at:
            return "resolved"
        return "answered" if self.answers else "open"

    @property
    def first_response_due(self) -> datetime:
        """From the least contact: the earliest that any contact's severity allows it to wait."""
        return min(self.witness.at + FIRST_RESPONSE[c.severity] for c in self.contacts)

    @property
    def generation(self) -> str:
        """Names the clock: another due time is another generation."""
        return iso(self.first_response_due)


def episodes(
    issue: str, contacts: Iterable[Contact], answers: Iterable[Answered] = ()
) -> list[Episode]:
    """Every case of an issue, the oldest first."""
    facts: list[Contact | Answered] = [*set(contacts), *set(answers)]
    facts.sort(key=lambda fact: (fact.at, fact.id))
    found: list[Episode] = []
    for fact in facts:
        if isinstance(fact, Answered):
            if found:
                found[-1] = _with_answer(found[-1], fact)
        elif found and not _over(found[-1], fact.at):
            found[-1] = _with_contact(found[-1], fact)
        else:
            found.append(Episode(issue, len(found), (fact,)))
    return found


def episode_of(contact_id: str, found: Iterable[Episode]) -> Episode | None:
    """The case that a contact belongs to."""
    return next((e for e in found if any(c.id == contact_id for c in e.contacts)), None)


def _over(episode: Episode, at: datetime) -> bool:
    return episode.resolved_at is not None and at > episode.resolved_at + REOPEN


def _with_contact(episode: Episode, contact: Contact) -> Episode:
    contacts = (*episode.contacts, contact)
    return Episode(episode.issue, episode.number, contacts, episode.answers)


def _with_answer(episode: Episode, answer: Answered) -> Episode:
    answers = (*episode.answers, answer)
    return Episode(episode.issue, episode.number, episode.contacts, answers)
