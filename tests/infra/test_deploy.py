"""The operators' path, on the embedded AWS: change set, question, execution, outputs."""

import json
import shutil
import socket
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra.build import Built
from parley import venv
from parley.artifacts import Artifacts
from parley.cloud import cloud
from parley.deploy import Declined, Outputs, deploy
from parley.ministack import MiniStack
from parley.places import REQUIREMENTS_AWS, VENV_AWS
from parley.screen import Failure, Misused
from parley.stack import Change, Stack


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty embedded AWS."""
    home = tmp_path_factory.mktemp("aws")
    emulator = MiniStack(venv.ensure(VENV_AWS, REQUIREMENTS_AWS), free_port(), home)
    emulator.start()
    try:
        emulator.wait()
        yield emulator.url
    finally:
        emulator.stop()


@pytest.fixture(scope="module")
def deployed(endpoint: str, built: Built) -> Outputs:
    """Stage `local`, deployed once."""
    return deploy("local", endpoint_url=endpoint, built=built)


class Asked(list[Change]):
    """Remembers the changes it was shown, and answers what it was told to."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def __call__(self, changes: Sequence[Change]) -> bool:
        self.extend(changes)
        return self.answer


def altered(built: Built, out: Path, retention: int) -> Built:
    """The same build with another log retention."""
    template = json.loads(built.sam.read_text("utf-8"))
    template["Resources"]["HubLogs"]["Properties"]["RetentionInDays"] = retention
    sam = out / "sam.json"
    sam.write_text(json.dumps(template), "utf-8")
    return replace(built, sam=sam)


def test_a_stage_is_made_from_nothing(deployed: Outputs) -> None:
    made = {change.logical_id for change in deployed.changes}

    assert {"HubBus", "HubTable", "Triage", "TriageQueue", "TriageDLQ", "RestAPI"} <= made
    assert {change.action for change in deployed.changes} == {"Add"}
    assert deployed["BusName"] == "parley-local"
    assert deployed.left_out == {"HubArchive": "AWS::Events::Archive"}


def test_every_channel_has_its_url(deployed: Outputs, endpoint: str) -> None:
    urls = deployed.webhooks(["line"])

    assert urls == {"line": f"{deployed.api_url}/webhooks/line"}
    assert urls["line"].startswith(f"{endpoint}/restapis/")
    assert replace(deployed, public_url="https://x.example").webhooks(["line"]) == {
        "line": "https://x.example/webhooks/line"
    }


def test_deploying_the_same_again_asks_nothing(
    deployed: Outputs, endpoint: str, built: Built
) -> None:
    asked = Asked(False)
    again = deploy("local", endpoint_url=endpoint, built=built, confirm=asked)

    assert (asked, again.changes) == ([], [])
    assert again.values == deployed.values


def test_a_change_is_shown_before_it_is_made(
    deployed: Outputs, endpoint: str, built: Built, tmp_path: Path
) -> None:
    asked, said = Asked(True), list[str]()
    changed = altered(built, tmp_path, 7)
    deploy("local", endpoint_url=endpoint, built=changed, confirm=asked, progress=said.append)

    shown = {change.logical_id: change for change in asked}  # the emulator adds who refers to it
    assert shown["HubLogs"].action == "Modify"
    assert "HubTable" not in shown
    assert "HubLogs" in said


def test_who_says_no_changes_nothing(
    deployed: Outputs, endpoint: str, built: Built, tmp_path: Path
) -> None:
    changed = altered(built, tmp_path, 14)
    with pytest.raises(Declined):
        deploy("local", endpoint_url=endpoint, built=changed, confirm=Asked(False))

    logs = cloud(endpoint).client("logs").describe_log_groups(logGroupNamePrefix="/parley/local")
    assert logs["logGroups"][0]["retentionInDays"] != 14


def test_who_says_no_to_a_new_stage_leaves_none_behind(endpoint: str, built: Built) -> None:
    with pytest.raises(Declined):
        deploy("other", endpoint_url=endpoint, built=built, confirm=Asked(False))

    assert not cloud(endpoint).stack("other").outputs()
    assert (cloud(endpoint).stack("other").describe() or {}).get("StackStatus") in (
        None,
        "DELETE_COMPLETE",
    )


def test_a_parameter_that_is_not_given_keeps_its_value(
    deployed: Outputs, endpoint: str, built: Built, tmp_path: Path
) -> None:
    given = {"PublicUrl": "https://hooks.example"}
    deploy("local", endpoint_url=endpoint, built=built, parameters=given)
    again = deploy("local", endpoint_url=endpoint, built=altered(built, tmp_path, 3))

    assert again.public_url == "https://hooks.example"


def test_what_cannot_be_made_is_told_with_its_reason(
    endpoint: str, built: Built, tmp_path: Path
) -> None:
    template = json.loads(built.sam.read_text("utf-8"))
    template["Resources"]["Stray"] = {"Type": "AWS::No::SuchThing", "Properties": {}}
    broken = replace(built, sam=tmp_path / "sam.json")
    broken.sam.write_text(json.dumps(template), "utf-8")

    with pytest.raises(Failure, match="AWS::No::SuchThing"):
        deploy("broken", endpoint_url=endpoint, built=broken)
    assert not cloud(endpoint).stack("broken").outputs()


def test_a_new_bundle_reaches_the_functions(
    deployed: Outputs, endpoint: str, built: Built, tmp_path: Path
) -> None:
    bundle = tmp_path / "deployment.zip"
    shutil.copy(built.bundle, bundle)
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("chalicelib/_edited.py", "")
    lambdas = cloud(endpoint).client("lambda")
    name = deployed["APIHandlerName"]
    before = lambdas.get_function(FunctionName=name)["Configuration"]["CodeSha256"]
    deploy("local", endpoint_url=endpoint, built=replace(built, bundle=bundle))

    assert lambdas.get_function(FunctionName=name)["Configuration"]["CodeSha256"] != before


@pytest.mark.parametrize(
    ("stage", "endpoint_url", "parameters", "complaint"),
    [
        ("Prod", None, {}, "a letter, then up to 15"),
        ("prod;rm", None, {}, "a letter, then up to 15"),
        ("local", None, {}, "on this machine only"),
        ("local", "https://aws.example", {}, "not on this machine"),
        ("prod", None, {"OutboundBase": "https://evil.example"}, "only stage local"),
    ],
)
def test_what_would_go_wrong_is_refused_before_anything_is_built(
    stage: str, endpoint_url: str | None, parameters: dict[str, str], complaint: str
) -> None:
    nothing = Built(Path("none"), Path("none"))
    with pytest.raises(Misused, match=complaint):
        deploy(stage, endpoint_url=endpoint_url, parameters=parameters, built=nothing)


def test_the_emulator_never_sees_credentials_of_the_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    credentials = cloud("http://127.0.0.1:1").session.get_credentials()

    assert credentials is not None
    assert credentials.access_key == "local"


@mock_aws
def test_artifacts_lie_in_a_private_bucket_once(tmp_path: Path) -> None:
    s3 = boto3.client("s3", region_name="eu-west-1")
    bundle = tmp_path / "deployment.zip"
    bundle.write_bytes(b"zip")
    template = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {}}}}
    artifacts = Artifacts(s3, "123456789012", "eu-west-1")
    urls = {artifacts.put(json.loads(json.dumps(template)), bundle, "parley-x") for _ in range(2)}

    kept = s3.list_objects_v2(Bucket="parley-artifacts-123456789012-eu-west-1")["Contents"]
    blocked = s3.get_public_access_block(Bucket=artifacts.bucket)
    assert len(urls) == 1
    assert sorted(item["Key"].rpartition(".")[2] for item in kept) == ["json", "zip"]
    assert set(blocked["PublicAccessBlockConfiguration"].values()) == {True}


class Busy:
    """CloudFormation while a stack is in some state; everything else would be an error."""

    def __init__(self, status: str) -> None:
        self.status = status

    def describe_stacks(self, StackName: str) -> dict[str, object]:
        return {"Stacks": [{"StackName": StackName, "StackStatus": self.status}]}


@pytest.mark.parametrize(
    ("status", "next"),
    [
        ("UPDATE_IN_PROGRESS", "wait"),
        ("ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name parley-x"),
        (
            "UPDATE_ROLLBACK_FAILED",
            "aws cloudformation continue-update-rollback --stack-name parley-x",
        ),
    ],
)
def test_a_stack_that_cannot_be_changed_names_the_way_out(status: str, next: str) -> None:
    with pytest.raises(Failure) as told:
        Stack(Busy(status), "parley-x", 0).propose("https://url", {}, set())

    assert told.value.next.startswith(next)


def test_a_deploy_that_fails_says_which_resource_and_why(
    deployed: Outputs, endpoint: str, built: Built, tmp_path: Path
) -> None:
    taken = {"Name": deployed["SettingsName"], "Type": "String", "Value": "{}"}
    template = json.loads(built.sam.read_text("utf-8"))
    template["Resources"]["Twin"] = {"Type": "AWS::SSM::Parameter", "Properties": taken}
    twin = replace(built, sam=tmp_path / "sam.json")
    twin.sam.write_text(json.dumps(template), "utf-8")

    with pytest.raises(Failure, match=r"parley-twin ended as .*\n  Twin: .*exists"):
        deploy("twin", endpoint_url=endpoint, built=twin)


def test_a_stage_has_its_own_names_whatever_it_was_built_for(endpoint: str, built: Built) -> None:
    other = deploy("other", endpoint_url=endpoint, built=built)

    assert other["BusName"] == "parley-other"
    assert other["SendSecretName"] == "parley/other/send"
