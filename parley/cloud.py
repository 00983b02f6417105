"""Which AWS is spoken to: the account of your credentials, or the embedded one on loopback."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from parley.artifacts import Artifacts
from parley.screen import Misused, Unready
from parley.stack import Stack

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Cloud:
    """`endpoint_url` is None for AWS itself; an emulator gets made-up credentials, never yours."""

    session: boto3.Session
    endpoint_url: str | None = None

    def client(self, service: Any) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint_url, config=self._config)

    @property
    def _config(self) -> Config:
        """An embedded AWS is on this machine, whatever proxy the user has for the rest."""
        return Config(proxies={}) if self.endpoint_url else Config()

    def artifacts(self) -> Artifacts:
        account = self.client("sts").get_caller_identity()["Account"]
        return Artifacts(self.client("s3"), account, self.session.region_name)

    def stack(self, stage: str) -> Stack:
        pause = 0.1 if self.endpoint_url else 2.0
        return Stack(self.client("cloudformation"), f"parley-{stage}", pause)

    def api_url(self, outputs: dict[str, str]) -> str:
        """Base URL of the API, without a trailing slash; empty before the first deploy."""
        if self.endpoint_url and "RestAPIId" in outputs:
            return f"{self.endpoint_url}/restapis/{outputs['RestAPIId']}/api/_user_request_"
        return outputs.get("ApiUrl", "")


def cloud(endpoint_url: str | None = None) -> Cloud:
    """Raises Misused for an endpoint elsewhere, Unready when no region is chosen."""
    if endpoint_url and urlsplit(endpoint_url).hostname not in LOOPBACK:
        raise Misused(f"{endpoint_url} is not on this machine; leave it out to reach AWS")
    if endpoint_url:
        return Cloud(boto3.Session("local", "local", region_name="us-east-1"), endpoint_url)
    session = boto3.Session()
    if not session.region_name:
        raise Unready("no AWS region is chosen", "export AWS_DEFAULT_REGION=eu-west-1")
    return Cloud(session)
