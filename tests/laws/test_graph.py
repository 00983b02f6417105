"""Who wakes whom: the graph of what reactions consume, say and plan has no loop, and equals the
rules of the template.

A node is a reaction; `sender` is one for each audience, because a plan's audience decides what its
end is called. An edge is a fact that one says and another's pattern takes. Where a class declares
`causes`, a fact it says follows only from the types named there; `tests.world` holds it to that.
"""

import inspect
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from typing import Any

import pytest

import app
from chalicelib import sources
from chalicelib.events import TYPES
from chalicelib.functions._shell import ANY, MOST_HOPS, Patterns
from chalicelib.functions.sender import Sender
from tests.rules import RULES


def _reactions() -> Iterator[tuple[str, Any]]:
    """Every class of `functions` that declares what it hears and says."""
    for name in app.REACTIONS:
        for _, each in inspect.getmembers(import_module(f"chalicelib.functions.{name}")):
            if inspect.isclass(each) and {"consumes", "emits"} <= vars(each).keys():
                yield name, each


DECLARED: Mapping[str, Any] = dict(_reactions())
REACTIONS = {name: each for name, each in DECLARED.items() if name not in ("intake", "sender")}
"""Those that rules wake."""
AUDIENCES = ("buyer", "desk", "shipper")
Node = tuple[str, str]
"""(reaction, the type that woke it); of the sender (sender, audience)."""


def overlap(said: Any, taken: Any) -> bool:
    """Whether some data could satisfy both patterns."""
    if isinstance(said, Mapping) and isinstance(taken, Mapping):
        return all(overlap(said[key], taken[key]) for key in said.keys() & taken.keys())
    return bool(set(said) & set(taken))


def sender_says(audience: str) -> Iterator[tuple[str, Any]]:
    for type, pattern in Sender.emits.items():
        if audience in pattern.get("audience", (audience,)):
            narrowed = {**pattern, "audience": [audience]} if "audience" in pattern else pattern
            yield type, narrowed


def says(reaction: Any, woken_by: str) -> Iterator[tuple[str, Any]]:
    """Types and patterns of what a reaction says when this type wakes it."""
    for type, pattern in reaction.emits.items():
        because = getattr(reaction, "causes", {}).get(type)
        if because is None or woken_by in because.split():
            yield type, pattern


def takers(type: str, pattern: Any, reactions: Mapping[str, Any]) -> Iterator[Node]:
    for name, reaction in reactions.items():
        if type in reaction.consumes and overlap(pattern, reaction.consumes[type]):
            yield name, type


def leads_to(reactions: Mapping[str, Any], name: str, woken_by: str) -> Iterator[Node]:
    """Who is woken by what this reaction says and plans when this type wakes it."""
    reaction = reactions[name]
    for type, pattern in says(reaction, woken_by):
        yield from takers(type, pattern, reactions)
    for audience in getattr(reaction, "plans", "").split():
        yield "sender", audience


def graph(reactions: Mapping[str, Any]) -> dict[Node, set[Node]]:
    """Of every node, the nodes after it."""
    woken = [(name, type) for name, reaction in reactions.items() for type in reaction.consumes]
    after = {node: set(leads_to(reactions, *node)) for node in woken}
    for audience in AUDIENCES:
        said = sender_says(audience)
        after["sender", audience] = {to for each in said for to in takers(*each, reactions)}
    return after


def loop(reactions: Mapping[str, Any]) -> list[Node]:
    """Nodes of a loop, if there is one."""
    try:
        TopologicalSorter(graph(reactions)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def longest(after: dict[Node, set[Node]]) -> int:
    """Steps of the longest chain."""
    steps: dict[Node, int] = {}
    for node in TopologicalSorter(after).static_order():  # what comes after is given first
        steps[node] = max((steps[to] + 1 for to in after[node]), default=0)
    return max(steps.values())


def test_every_reaction_declares_itself() -> None:
    assert set(DECLARED) == set(app.REACTIONS) - {"journal", "sweep"}


def test_nobody_answers_themselves() -> None:
    assert loop(REACTIONS) == []


def test_the_longest_chain_fits_the_hops() -> None:
    """Hops are enough for everything that may follow from one fact."""
    assert longest(graph(REACTIONS)) <= MOST_HOPS


@pytest.mark.parametrize(
    ("name", "consumes"),
    [
        ("replies", {"message.accepted": ANY}),
        ("triage", {"reply.planned": ANY, "message.classified": ANY}),
        ("escalations", {"case.opened": ANY}),
        ("escalations", {"channel.degraded": ANY}),
        ("escalations", {"message.failed": {"audience": ["desk"]}}),
        ("payments", {"payment.captured": ANY}),
        ("orders", {"order.updated": ANY}),
    ],
)
def test_a_rule_that_closes_a_loop_is_seen(name: str, consumes: Patterns) -> None:
    wider = {"consumes": {**REACTIONS[name].consumes, **consumes}}
    assert loop({**REACTIONS, name: type(name, (REACTIONS[name],), wider)})


def test_the_rules_as_written_close_no_loop() -> None:
    """The same graph as the template draws it, whatever the classes say."""

    def as_ruled(name: str, reaction: Any) -> Any:
        return type(name, (reaction,), {"consumes": ruled(name)})

    drawn = {name: as_ruled(name, reaction) for name, reaction in REACTIONS.items()}
    assert loop(drawn) == []


def test_every_type_that_is_consumed_or_said_is_a_type() -> None:
    for reaction in DECLARED.values():
        assert set(reaction.consumes) | set(reaction.emits) <= set(TYPES)
    for name in sources.inbound():
        assert sources.get(name).emits <= set(TYPES)


def test_adapters_say_nothing_that_only_the_hub_concludes() -> None:
    shared = {"message.failed", "consent.withdrawn", "handoff.requested"}
    said = {type for name in REACTIONS for type in DECLARED[name].emits} | set(Sender.emits)
    concluded = said - shared - set(DECLARED["payments"].emits)
    for name in sources.inbound():
        assert not sources.get(name).emits & concluded, name


def test_everything_but_ends_is_said_by_somebody() -> None:
    """Nobody waits for what nobody says."""
    said = {type for name in sources.inbound() for type in sources.get(name).emits}
    said |= {type for reaction in (*REACTIONS.values(), Sender) for type in reaction.emits}
    awaited = {type for reaction in REACTIONS.values() for type in reaction.consumes}
    assert awaited <= said


# -- the template ----------------------------------------------------------------------------


def declared(reaction: Any) -> dict[str, Any]:
    return {type: _plain(pattern) for type, pattern in reaction.consumes.items()}


def ruled(name: str) -> dict[str, Any]:
    """By detail-type, what the rules of a function let through."""
    found: dict[str, Any] = {}
    for rule in RULES:
        if rule.function == name:
            for type in rule.pattern["detail-type"]:
                assert type not in found, f"two rules bring {type} to {name}"
                found[type] = _plain(rule.data)
    return found


def _plain(pattern: Any) -> Any:
    if isinstance(pattern, Mapping):
        return {key: _plain(value) for key, value in pattern.items()}
    return sorted(pattern, key=str)


@pytest.mark.parametrize("name", sorted(REACTIONS))
def test_the_rules_of_a_function_are_what_it_consumes(name: str) -> None:
    assert ruled(name) == declared(REACTIONS[name])


def test_rules_wake_reactions_the_journal_and_intake_and_nobody_else() -> None:
    assert {rule.function for rule in RULES} == {*REACTIONS, "journal", "intake"}


def test_rules_list_exact_types_but_the_journals() -> None:
    for rule in RULES:
        if rule.function not in ("journal", "intake"):
            assert all(isinstance(type, str) for type in rule.pattern["detail-type"]), rule
            assert set(rule.pattern["detail-type"]) <= set(TYPES), rule


def test_a_pattern_is_not_longer_than_aws_takes() -> None:
    assert all(rule.length <= 2048 for rule in RULES)


def test_a_target_that_fails_has_its_dead_letter_queue() -> None:
    assert all(rule.dead_letters.endswith("RuleDLQ") for rule in RULES)
