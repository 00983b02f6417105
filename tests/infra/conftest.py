"""One build and one template for every test of the folder: packaging takes seconds."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra import template
from infra.build import ROOT, Built, build, package_template
from infra.target import Target


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """What the embedded hub runs: this machine's Python and architecture."""
    return build(stage="local", out=tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def sam(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of stage `prod`, as it is deployed."""
    path: Path = tmp_path_factory.mktemp("template") / "sam.json"
    package_template(path, stage="prod", target=Target(arch="arm64"), root=ROOT, path=[])
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


@pytest.fixture(scope="session")
def resources(sam: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = sam["Resources"]
    return found


@pytest.fixture(scope="session")
def hub() -> dict[str, Any]:
    """hub.yaml alone, before anything is derived from it."""
    return template.hub()
