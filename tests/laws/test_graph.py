"""No rule closes a loop: what a function says never comes back to it, over bus or queue.

Nodes are functions; the sender is a node per audience, because it says of a message whom it was
for, and escalations are two: what customers say is acknowledged, what the hub says never is. An edge is a type that one says and another hears, where their patterns can both hold.
"""

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest

import app
from chalicelib import sources
from chalicelib.events import TYPES
from chalicelib.functions.escalations import Escalations
from infra import template

Patterns = Mapping[str, Mapping[str, Any]]
PLANS = {"replies": "buyer", "shippers": "shipper", "escalations": "desk"}
"""Who leaves items in the outbox, and for whom."""
AUDIENCES = ("buyer", "shipper", "desk")


def reactions() -> dict[str, Any]:
    """Every class of `functions` that declares what it hears and says."""
    found = {}
    for name in app.REACTIONS:
        for _, each in inspect.getmembers(import_module(f"chalicelib.functions.{name}")):
            if inspect.isclass(each) and {"consumes", "emits"} <= set(vars(each)):
                found[name] = each
    return found


REACTIONS = reactions()
FOUND = {name: (r.consumes, r.emits) for name, r in REACTIONS.items() if name != "intake"}


def nodes(found: Mapping[str, tuple[Patterns, Patterns]]) -> dict[str, tuple[Patterns, Patterns]]:
    """With the sender split by audience."""
    plain = {name: each for name, each in found.items() if name not in ("sender", "escalations")}
    plain |= escalations(*found["escalations"])
    _, said = found["sender"]
    for audience in AUDIENCES:
        of_audience = {t: {**p, "audience": [audience]} for t, p in said.items()}
        plain[f"sender to {audience}"] = ({}, of_audience)
    return plain


def escalations(heard: Patterns, said: Patterns) -> dict[str, tuple[Patterns, Patterns]]:
    """The half that answers customers, and the half that only tells desks."""
    answered = Escalations.causes["reply.requested"].split()
    quiet = {t: p for t, p in said.items() if t != "reply.requested"}
    return {
        "escalations": ({t: p for t, p in heard.items() if t in answered}, said),
        "escalations of trouble": ({t: p for t, p in heard.items() if t not in answered}, quiet),
    }


def meet(said: Mapping[str, Any], heard: Mapping[str, Any]) -> bool:
    """Whether one event can match both: no field that both name has values apart."""
    both = set(said) & set(heard)
    return all(_flat(said[field]) & _flat(heard[field]) for field in both)


def _flat(pattern: Any) -> set[str]:
    if isinstance(pattern, Mapping):
        return set().union(*(_flat(each) for each in pattern.values()))
    return {str(value) for value in pattern}


def edges(found: Mapping[str, tuple[Patterns, Patterns]]) -> Iterator[tuple[str, str]]:
    every = nodes(found)
    for name, (_, said) in every.items():
        for other, (heard, _) in every.items():
            for type_ in set(said) & set(heard):
                if meet(said[type_], heard[type_]):
                    yield name, other
    for name, audience in PLANS.items():
        yield from ((each, f"sender to {audience}") for each in every if each.startswith(name))


def loop(found: Mapping[str, tuple[Patterns, Patterns]]) -> list[str]:
    """Functions of a loop, if there is one."""
    left = set(edges(found))
    while left:
        heads, tails = {a for a, _ in left}, {b for _, b in left}
        kept = {(a, b) for a, b in left if b in heads and a in tails}
        if kept == left:
            return sorted(heads & tails)
        left = kept
    return []


def from_rules() -> dict[str, tuple[Patterns, Patterns]]:
    """The same graph as the rules of hub.yaml draw it."""
    heard: dict[str, dict[str, Any]] = {name: {} for name in FOUND}
    for logical, rule in template.hub()["Resources"].items():
        pattern = rule["Properties"].get("EventPattern", {}) if "Rule" in logical else {}
        owner = next((n for n in FOUND if logical.lower().startswith(n)), None)
        for type_ in pattern.get("detail-type", ()):
            if owner and rule["Type"] == "AWS::Events::Rule":
                heard[owner][type_] = pattern.get("detail", {}).get("data", {})
    return {name: (heard[name], said) for name, (_, said) in FOUND.items()}


def test_every_reaction_declares_itself() -> None:
    assert set(REACTIONS) == set(app.REACTIONS) - {"journal", "sweep"}


def test_no_declaration_closes_a_loop() -> None:
    assert loop(FOUND) == []


def test_no_rule_closes_a_loop() -> None:
    assert loop(from_rules()) == []


@pytest.mark.parametrize("name", ["orders", "replies", "triage", "payments", "escalations"])
def test_an_extra_rule_that_closes_a_loop_is_seen(name: str) -> None:
    heard, said = FOUND[name]
    extra = {type_: pattern for type_, pattern in said.items()}
    assert loop({**FOUND, name: ({**heard, **extra}, said)})


def test_a_longer_loop_is_seen_too() -> None:
    heard, said = FOUND["orders"]
    assert loop({**FOUND, "orders": ({**heard, "reply.planned": {}}, said)})


def test_what_is_said_and_heard_are_types_of_the_contract() -> None:
    for heard, said in FOUND.values():
        assert set(heard) | set(said) <= set(TYPES)


def test_adapters_say_nothing_that_only_the_hub_concludes() -> None:
    concluded = {t for _, said in FOUND.values() for t in said} - {
        *FOUND["payments"][1], "message.failed", "consent.withdrawn", "handoff.requested",
        "parcel.registered",
    }  # fmt: skip
    for name in sources.inbound():
        assert not sources.get(name).emits & concluded, name
