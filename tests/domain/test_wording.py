"""What customers are told: whole sentences, one template each."""

import pytest

from chalicelib.domain import wording
from chalicelib.payloads import OrderUpdated

KEYS = wording.keys()
MILESTONES = OrderUpdated.model_fields["milestone"].annotation.__args__  # type: ignore[union-attr]


@pytest.mark.parametrize("milestone", MILESTONES)
def test_every_milestone_has_its_sentence(milestone: str) -> None:
    assert f"order.{milestone}" in KEYS


@pytest.mark.parametrize("key", KEYS)
def test_a_sentence_says_its_parameters_and_nothing_is_left_open(key: str) -> None:
    params = {name: f"<{name}>" for name in wording.fields(key)}
    said = wording.say(key, params)
    assert all(f"<{name}>" in said for name in params)
    assert "{" not in said and said == said.strip()
    assert wording.template_name(key).replace("_", "").isalnum()


def test_a_parameter_that_is_missing_is_left_out() -> None:
    assert wording.say("order.paid", {}) == "We have received your payment for order ."


def test_a_parameter_is_no_template() -> None:
    said = wording.say("order.paid", {"order_number": "{total.__class__}"})
    assert "{total.__class__}" in said


def test_a_key_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(KeyError):
        wording.say("order.eaten", {})
