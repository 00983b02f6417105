"""AWS for the tests of the gateways."""

from collections.abc import Iterator
from types import SimpleNamespace

import botocore.endpoint
import pytest
from moto import mock_aws

from tests.gateways.aws import ENV, Aws, wired


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Our resources on moto, behind the clients that `wiring` makes."""
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    for name in ("outbox", "clocks", "spill"):
        url = f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}"
        monkeypatch.setenv(f"PARLEY_{name.upper()}_QUEUE", url)
    # the SDK waits between its attempts; here nothing gets better by waiting
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None))
    with mock_aws():
        yield from wired()
