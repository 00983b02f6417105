"""One CloudFormation stack: propose a change set, look at it, carry it out, read its outputs."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from parley.screen import Failure, Say, Unready

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
NEW = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
UNCHANGED = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """One line of a change set. `replaces` means that the old resource is thrown away."""

    action: str
    logical_id: str
    type: str
    replaces: bool


@dataclass(frozen=True)
class Stack:
    """`client` is CloudFormation's; `pause` is how many seconds lie between two looks."""

    client: Any
    name: str
    pause: float

    def describe(self) -> dict[str, Any] | None:
        """The stack as CloudFormation tells it; None when there is none."""
        try:
            found: list[dict[str, Any]] = self.client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found[0]

    def propose(self, template_url: str, parameters: Mapping[str, str], known: set[str]) -> str:
        """Create a change set and return its ARN. `known` are the template's own parameters.

        A parameter that is not given keeps the value that the stack has. Raises Unready when the
        stack is busy or broken, Failure when CloudFormation refuses the template.
        """
        stack = self.describe()
        new = stack is None or stack["StackStatus"] in NEW
        if stack and not new:
            _require_steady(stack)
        given: list[dict[str, Any]] = [
            {"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()
        ]
        asked: dict[str, Any] = {"ChangeSetType": "CREATE", "OnStackFailure": "DELETE"}
        if stack and not new:
            asked = {"ChangeSetType": "UPDATE"}
            kept = self.parameters().keys() & known - {*parameters}
            given += [{"ParameterKey": k, "UsePreviousValue": True} for k in sorted(kept)]
        made = self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"parley-{uuid.uuid4().hex[:12]}",
            TemplateURL=template_url,
            Parameters=given,
            Capabilities=CAPABILITIES,
            **asked,
        )
        return str(made["Id"])

    def changes(self, change_set: str) -> list[Change]:
        """What the change set would do, once CloudFormation has worked it out; [] for nothing."""
        while (page := self._page(change_set))["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            time.sleep(self.pause)
        if page["Status"] == "FAILED":
            reason = page.get("StatusReason", "")
            self.discard(change_set)
            if any(said in reason for said in UNCHANGED):
                return []
            raise Failure(f"CloudFormation refused the change set: {reason}", "make lint")
        return sorted(self._all_changes(change_set, page), key=lambda c: (c.action, c.type))

    def discard(self, change_set: str) -> None:
        """Forget a change set, and the empty stack that was made only to hold it."""
        self.client.delete_change_set(ChangeSetName=change_set)
        stack = self.describe()
        if stack and stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            self.client.delete_stack(StackName=self.name)

    def execute(self, change_set: str, say: Say) -> None:
        """Carry the change set out; `say` hears of every resource that is done.

        Raises Failure with the reasons CloudFormation gave; it has rolled back by then.
        """
        token = uuid.uuid4().hex
        stack_id = self._page(change_set)["StackId"]
        self.client.execute_change_set(ChangeSetName=change_set, ClientRequestToken=token)
        seen: set[str] = set()
        while True:
            status = self.client.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            events = self._events(stack_id, token)
            _tell(events, seen, say)
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(self.pause)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise Failure(_reasons(self.name, status, events), "correct the cause, deploy again")

    def outputs(self) -> dict[str, str]:
        """Output name → value; {} when there is no such stack."""
        stack = self.describe() or {}
        return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """Parameter name → value; {} when there is no such stack."""
        stack = self.describe() or {}
        return {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])}

    def _page(self, change_set: str, **token: str) -> dict[str, Any]:
        page: dict[str, Any] = self.client.describe_change_set(ChangeSetName=change_set, **token)
        return page

    def _all_changes(self, change_set: str, page: dict[str, Any]) -> Iterator[Change]:
        while True:
            for item in page.get("Changes", []):
                yield _change(item["ResourceChange"])
            if not page.get("NextToken"):
                return
            page = self._page(change_set, NextToken=page["NextToken"])

    def _events(self, stack_id: str, token: str) -> list[dict[str, Any]]:
        """This execution's events, oldest first."""
        found: list[dict[str, Any]] = []
        for page in self.client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            ours = [e for e in page["StackEvents"] if e.get("ClientRequestToken") == token]
            found += ours
            if len(ours) < len(page["StackEvents"]):
                break
        return found[::-1]


def _require_steady(stack: dict[str, Any]) -> None:
    name, status = stack["StackName"], stack["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        raise Unready(f"{name} is {status}: somebody deploys it now", "wait, then deploy again")
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
        fix = f"aws cloudformation delete-stack --stack-name {name}"
        raise Unready(f"{name} is {status} and cannot be changed any more", fix)
    if status == "UPDATE_ROLLBACK_FAILED":
        fix = f"aws cloudformation continue-update-rollback --stack-name {name}"
        raise Unready(f"{name} is {status}", fix)


def _change(item: dict[str, Any]) -> Change:
    replaces = item.get("Replacement") in ("True", "Conditional")
    return Change(item["Action"], item["LogicalResourceId"], item["ResourceType"], replaces)


def _tell(events: Sequence[dict[str, Any]], seen: set[str], say: Say) -> None:
    for event in events:
        done = event["ResourceStatus"].endswith("_COMPLETE")
        if done and event["LogicalResourceId"] not in seen:
            seen.add(event["LogicalResourceId"])
            say(event["LogicalResourceId"])


def _reasons(name: str, status: str, events: Sequence[dict[str, Any]]) -> str:
    failed = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
    lines = [f"  {e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed[:8]]
    return "\n".join([f"{name} ended as {status}", *lines])
