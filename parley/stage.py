"""One deployed stage, on AWS or embedded: its clients, its outputs, its queues."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from parley.ministack import REGION
from parley.places import home
from parley.screen import Unready

LOCAL = "local"
RUNNING = "hub.json"
"""What a running hub says of itself in its home, for the other commands."""
_SERVE = "parley serve"


def local_client(service: Any, endpoint: str) -> Any:
    """A boto3 client of the embedded AWS; no proxy and no credentials of yours are used."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(proxies={}, retries={"max_attempts": 2}, max_pool_connections=32),
    )


@dataclass(frozen=True)
class Queue:
    """An SQS queue of the stack; `name` is its logical id, such as `TriageDLQ`."""

    name: str
    url: str

    @property
    def is_dead_letter(self) -> bool:
        """Whether messages come here to be looked at by a person."""
        return self.name.endswith("DLQ")

    @property
    def is_working(self) -> bool:
        """Whether a function takes messages from here."""
        return not self.is_dead_letter

    @property
    def source(self) -> str:
        """For a dead-letter queue: the queue whose consumer gave up, or that a rule missed."""
        return self.name.removesuffix("DLQ").removesuffix("Rule") + "Queue"


class Stage:
    """The stack `parley-<name>`. Without `endpoint` it is on AWS, with your own credentials."""

    def __init__(self, name: str, endpoint: str | None = None) -> None:
        self.name = name
        self.endpoint = endpoint
        self.stack = f"parley-{name}"
        self._clients: dict[str, Any] = {}

    def client(self, service: Any) -> Any:
        """A boto3 client, made once."""
        if service not in self._clients:
            where = self.endpoint
            made = local_client(service, where) if where else boto3.client(service)
            self._clients[service] = made
        return self._clients[service]

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """What the stack says of itself: BusName, TableName, ApiUrl …"""
        found = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())}

    @cached_property
    def resources(self) -> Mapping[str, tuple[str, str]]:
        """Logical id to (type, physical id)."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        found: dict[str, tuple[str, str]] = {}
        for page in pages.paginate(StackName=self.stack):
            for each in page["StackResourceSummaries"]:
                physical = each.get("PhysicalResourceId", "")
                found[each["LogicalResourceId"]] = (each["ResourceType"], physical)
        return found

    @cached_property
    def queues(self) -> tuple[Queue, ...]:
        """Every SQS queue of the stack, by logical id."""
        named = sorted(self._of_type("AWS::SQS::Queue").items())
        return tuple(Queue(name, url) for name, url in named)

    @cached_property
    def functions(self) -> Mapping[str, str]:
        """Logical id (`Triage`) to the name of the Lambda function."""
        return self._of_type("AWS::Lambda::Function") | self._of_type("AWS::Serverless::Function")

    def _of_type(self, kind: str) -> dict[str, str]:
        return {name: id for name, (type_, id) in self.resources.items() if type_ == kind}


def named(name: str) -> Stage:
    """The stage of that name; for `local` the embedded hub that runs from this checkout."""
    return Stage(name, running()["aws"] if name == LOCAL else None)


def running() -> dict[str, Any]:
    """What the running hub wrote of itself. Unready when none runs."""
    try:
        found: dict[str, Any] = json.loads((home() / RUNNING).read_text())
        os.kill(found["pid"], 0)
    except (OSError, ValueError) as error:
        raise Unready("no embedded hub runs from here", _SERVE) from error
    return found


@contextmanager
def reached(stage: Stage) -> Iterator[Stage]:
    """Turn AWS's refusals into what a person can act on: Unready."""
    try:
        yield stage
    except ConnectionError as error:
        raise Unready(f"nothing answers at {stage.endpoint or 'AWS'}", _SERVE) from error
    except (NoCredentialsError, NoRegionError) as error:
        raise Unready(f"AWS: {error}", "aws configure") from error
    except ClientError as error:
        said = error.response.get("Error", {}).get("Message", str(error))
        raise Unready(f"{stage.stack}: {said}", f"parley deploy --stage {stage.name}") from error
    except BotoCoreError as error:
        raise Unready(f"AWS: {error}", "parley doctor") from error
