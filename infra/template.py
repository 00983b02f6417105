"""The template that is merged into Chalice's: hub.yaml, and what follows from it."""

from pathlib import Path
from typing import Any

from chalice.package import YAMLTemplateSerializer

from infra.alarms import alarms
from infra.grants import queue_policies

HUB = Path(__file__).with_name("hub.yaml")


def hub() -> dict[str, Any]:
    """hub.yaml as CloudFormation reads it: short forms such as !Ref become their long ones."""
    loaded: dict[str, Any] = YAMLTemplateSerializer().load_template(
        HUB.read_text("utf-8"), HUB.name
    )
    return loaded


def merged(stage: str) -> dict[str, Any]:
    """hub() for one stage, with its queue policies and alarms."""
    template = hub()
    template["Parameters"]["Stage"]["Default"] = stage
    resources = template["Resources"]
    resources |= queue_policies(resources) | alarms(resources)
    return template
