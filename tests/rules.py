"""The rules of `infra/hub.yaml`, as they stand there: which events wake which function."""

import json
from dataclasses import dataclass
from typing import Any

from infra import template


@dataclass(frozen=True)
class Rule:
    """One rule and the function whose queue it fills."""

    name: str
    function: str
    pattern: dict[str, Any]
    dead_letters: str

    @property
    def data(self) -> dict[str, Any]:
        """What it asks of `detail.data`."""
        found: dict[str, Any] = self.pattern.get("detail", {}).get("data", {})
        return found

    @property
    def length(self) -> int:
        """Characters of the pattern, of which EventBridge takes 2048."""
        return len(json.dumps(self.pattern, separators=(",", ":")))


def _rule(name: str, properties: dict[str, Any]) -> Rule:
    [target] = properties["Targets"]
    queue, letters = target["Arn"], target["DeadLetterConfig"]["Arn"]
    function = _logical(queue).removesuffix("Queue").lower()
    return Rule(name, function, properties["EventPattern"], _logical(letters))


def _logical(arn: Any) -> str:
    place = arn["Fn::GetAtt"]
    return str(place[0] if isinstance(place, list) else place.partition(".")[0])


RULES = tuple(
    _rule(name, resource["Properties"])
    for name, resource in template.hub()["Resources"].items()
    if resource.get("Type") == "AWS::Events::Rule"
)
