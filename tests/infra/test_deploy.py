"""The operators' path, on the embedded AWS: change set, question, execution, outputs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra.build import Built
from parley import venv
from parley.artifacts import Artifacts
from parley.cloud import Cloud, cloud
from parley.deploy import Declined, deploy
from parley.loopback import free_port
from parley.ministack import MiniStack
from parley.places import REQUIREMENTS_AWS, VENV_AWS
from parley.screen import Failure, Misused
from parley.stack import Change

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an empty emulator."""
    python = venv.ensure(VENV_AWS, REQUIREMENTS_AWS)
    emulator = MiniStack(python, free_port(), tmp_path_factory.mktemp("aws"))
    emulator.start()
    try:
        emulator.wait()
        yield emulator.url
    finally:
        emulator.stop()
