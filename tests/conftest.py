"""How the suite is spread over workers: what shares a build or an embedded hub stays together."""

from pathlib import Path

import pytest

TOGETHER = {"infra": "build", "parley": "hub", "e2e": "story"}
"""Folders whose session fixtures are dear → the group that one worker runs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0]
        if folder in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(TOGETHER[folder]))
