"""What the embedded AWS cannot take from the template. The one list; every deploy there says it."""

from collections.abc import Mapping
from typing import Any

NOT_EMULATED = {
    "AWS::Events::Archive": "no replay from the bus; parley replay sends samples instead",
}
"""Resource type → what is different without it."""


def emulated(
    template: dict[str, Any], parameters: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The template without what is not emulated, and the logical ids left out with their types."""
    resources = template["Resources"]
    left_out = {n: r["Type"] for n, r in resources.items() if r["Type"] in NOT_EMULATED}
    kept = {name: resource for name, resource in resources.items() if name not in left_out}
    numbers = _numbers(template["Parameters"], parameters)
    return {**template, "Resources": _filled(kept, numbers)}, left_out


def _numbers(declared: dict[str, Any], given: Mapping[str, str]) -> dict[str, int]:
    return {
        name: int(given.get(name, parameter["Default"]))
        for name, parameter in declared.items()
        if parameter["Type"] == "Number"
    }


def _filled(node: Any, numbers: dict[str, int]) -> Any:
    """MiniStack 1.5 passes a Number parameter on as text, and its queue mappings stop polling."""
    if isinstance(node, dict):
        if node.keys() == {"Ref"} and node["Ref"] in numbers:
            return numbers[node["Ref"]]
        return {key: _filled(value, numbers) for key, value in node.items()}
    return [_filled(item, numbers) for item in node] if isinstance(node, list) else node
