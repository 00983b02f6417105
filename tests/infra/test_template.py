import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from infra.build import ROOT
from parley.emulator import NOT_EMULATED, emulated

Resources = dict[str, Any]

REACTIONS = (
    "intake triage payments orders shippers escalations replies sender profiles journal sweep"
).split()
POLICIES = ROOT / ".chalice" / "policies"
LONGEST_PATTERN = 2048  # characters EventBridge takes
NO_RESOURCE_LEVEL: frozenset[str] = frozenset()  # actions for which AWS allows only "*"


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: item for name, item in resources.items() if item.get("Type") == kind}


def functions(resources: Resources) -> Resources:
    return of_type(resources, "AWS::Serverless::Function")


def queues(resources: Resources) -> Resources:
    return of_type(resources, "AWS::SQS::Queue")


def rules(resources: Resources) -> Resources:
    """The hub's own rules; SAM's schedule of the sweep is none of them."""
    return of_type(resources, "AWS::Events::Rule")


def target(rule: dict[str, Any]) -> dict[str, Any]:
    [only] = rule["Properties"]["Targets"]
    found: dict[str, Any] = only
    return found


def named(arn: dict[str, Any]) -> str:
    """The logical id in a Fn::GetAtt of an Arn."""
    name, attribute = arn["Fn::GetAtt"]
    assert attribute == "Arn"
    return str(name)


def mappings(function: dict[str, Any]) -> list[dict[str, Any]]:
    events = function["Properties"].get("Events", {}).values()
    return [event["Properties"] for event in events if event["Type"] == "SQS"]


def intrinsics(node: Any) -> Iterator[str]:
    """Every logical id that `node` refers to, in Ref, Fn::GetAtt and Fn::Sub."""
    if isinstance(node, list):
        for item in node:
            yield from intrinsics(item)
    if isinstance(node, dict):
        yield from _of(node)
        for value in node.values():
            yield from intrinsics(value)


def _of(node: dict[str, Any]) -> Iterator[str]:
    if "Ref" in node:
        yield node["Ref"]
    if "Fn::GetAtt" in node:
        yield node["Fn::GetAtt"][0]
    if "Fn::Sub" in node:
        for part in node["Fn::Sub"].split("${")[1:]:
            yield part.split("}")[0].split(".")[0]


def statements(policy: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(policy.read_text("utf-8"))["Statement"]
    return found


def allowed(name: str, action: str) -> set[str]:
    """Logical ids on which the policy of function `name` allows `action`."""
    granting = [s for s in statements(POLICIES / f"{name}.json") if action in s["Action"]]
    return {name for s in granting for name in intrinsics(s["Resource"])}


# -- rules ---------------------------------------------------------------------------------------


def test_every_rule_lists_exact_types_but_the_journals(resources: Resources) -> None:
    for name, rule in rules(resources).items():
        pattern = rule["Properties"]["EventPattern"]
        if named(target(rule)["Arn"]) == "JournalQueue":
            assert pattern == {"source": [{"prefix": "parley."}]}
        else:
            assert pattern["detail-type"], name
            assert all(isinstance(kind, str) for kind in pattern["detail-type"]), name


def test_every_pattern_fits(resources: Resources) -> None:
    for name, rule in rules(resources).items():
        assert len(json.dumps(rule["Properties"]["EventPattern"])) <= LONGEST_PATTERN, name


def declared(name: str) -> dict[str, Any] | None:
    """What the function says that it consumes; None for the journal, which takes everything."""
    module = import_module(f"chalicelib.functions.{name}")
    own = [
        item for item in vars(module).values() if getattr(item, "__module__", "") == module.__name__
    ]
    found = [item.consumes for item in own if isinstance(item, type) and hasattr(item, "consumes")]
    return {kind: dict(pattern) for kind, pattern in found[0].items()} if found else None


def delivered(resources: Resources, name: str) -> dict[str, Any]:
    """What the hub bus delivers to the function: type to the pattern on `detail.data`."""
    queue = f"{name.capitalize()}Queue"
    return {
        kind: rule["Properties"]["EventPattern"].get("detail", {}).get("data", {})
        for rule in rules(resources).values()
        if named(target(rule)["Arn"]) == queue
        and rule["Properties"].get("EventBusName") == {"Ref": "HubBus"}
        for kind in rule["Properties"]["EventPattern"].get("detail-type", [])
    }


@pytest.mark.parametrize("name", [name for name in REACTIONS if name not in ("journal", "sweep")])
def test_rules_deliver_what_the_function_says_it_consumes(name: str, resources: Resources) -> None:
    assert delivered(resources, name) == declared(name)


def test_only_the_journal_takes_everything() -> None:
    assert [name for name in REACTIONS if declared(name) is None] == ["journal", "sweep"]


def test_the_archive_keeps_roots_only(resources: Resources) -> None:
    archive = resources["HubArchive"]["Properties"]

    assert archive["EventPattern"] == {"detail": {"causationid": [{"exists": False}]}}
    assert archive["RetentionDays"] == 30


# -- queues --------------------------------------------------------------------------------------


def test_every_queue_has_a_dead_letter_queue_or_is_one(resources: Resources) -> None:
    for name, queue in queues(resources).items():
        properties = queue["Properties"]
        if name.endswith("DLQ"):
            assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600, name
        else:
            dead = named(properties["RedrivePolicy"]["deadLetterTargetArn"])
            assert dead == name.removesuffix("Queue") + "DLQ"
            assert dead in queues(resources)
            assert properties["RedrivePolicy"]["maxReceiveCount"] == 5


def test_every_rule_has_a_dead_letter_queue_of_its_function(resources: Resources) -> None:
    for name, rule in rules(resources).items():
        queue = named(target(rule)["Arn"])
        dead = named(target(rule)["DeadLetterConfig"]["Arn"])
        assert dead == queue.removesuffix("Queue") + "RuleDLQ", name


def test_every_queue_is_watched(resources: Resources) -> None:
    for name in queues(resources):
        alarm = resources[f"{name}Alarm"]["Properties"]
        depth = alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"

        assert alarm["Dimensions"] == [
            {"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}}
        ]
        assert depth == name.endswith("DLQ"), name
        assert (alarm["Threshold"] == 0) == depth


def test_a_queue_takes_messages_of_its_own_rules_only(resources: Resources) -> None:
    for name, rule in rules(resources).items():
        for queue in (named(target(rule)["Arn"]), named(target(rule)["DeadLetterConfig"]["Arn"])):
            policy = resources[f"{queue}Policy"]["Properties"]
            [statement] = policy["PolicyDocument"]["Statement"]
            senders = statement["Condition"]["ArnEquals"]["aws:SourceArn"]

            assert policy["Queues"] == [{"Ref": queue}]
            assert statement["Action"] == "sqs:SendMessage"
            assert named(statement["Resource"]) == queue
            assert name in set(intrinsics(senders))


def test_a_queue_that_no_rule_feeds_has_no_policy(resources: Resources) -> None:
    fed = {named(target(rule)["Arn"]) for rule in rules(resources).values()}
    fed |= {named(target(rule)["DeadLetterConfig"]["Arn"]) for rule in rules(resources).values()}

    assert {f"{queue}Policy" for queue in fed} == set(of_type(resources, "AWS::SQS::QueuePolicy"))


def test_every_mapping_reports_the_records_that_failed(resources: Resources) -> None:
    for name, function in functions(resources).items():
        for mapping in mappings(function):
            assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
            assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "Concurrency"}}, name


def test_a_batch_has_six_times_its_functions_time_before_it_comes_again(
    resources: Resources,
) -> None:
    for function in functions(resources).values():
        for mapping in mappings(function):
            queue = resources[named(mapping["Queue"])]["Properties"]
            assert queue["VisibilityTimeout"] == 6 * function["Properties"]["Timeout"]


def test_every_queue_has_exactly_one_reader(resources: Resources) -> None:
    read = [named(m["Queue"]) for f in functions(resources).values() for m in mappings(f)]

    assert sorted(read) == sorted(name for name in queues(resources) if not name.endswith("DLQ"))


# -- permissions ---------------------------------------------------------------------------------


def test_every_function_has_a_role_and_a_policy_of_its_own(resources: Resources) -> None:
    roles = [f["Properties"]["Role"]["Fn::GetAtt"][0] for f in functions(resources).values()]

    assert len(set(roles)) == len(roles) == len(REACTIONS) + 1
    assert {path.stem for path in POLICIES.glob("*.json")} == {"api", *REACTIONS}
    for name in REACTIONS:
        [policy] = resources[f"{name.capitalize()}Role"]["Properties"]["Policies"]
        assert policy["PolicyDocument"]["Statement"] == statements(POLICIES / f"{name}.json")


@pytest.mark.parametrize("policy", sorted(POLICIES.glob("*.json")), ids=lambda path: path.stem)
def test_no_policy_has_a_wildcard(policy: Path) -> None:
    for statement in statements(policy):
        actions = statement["Action"]
        assert not [action for action in actions if "*" in action]
        if not NO_RESOURCE_LEVEL.issuperset(actions):
            assert "*" not in json.dumps(statement["Resource"]).replace("/claims/*", "")


@pytest.mark.parametrize("policy", sorted(POLICIES.glob("*.json")), ids=lambda path: path.stem)
def test_policies_name_what_the_template_makes(policy: Path, resources: Resources) -> None:
    for statement in statements(policy):
        for name in intrinsics(statement["Resource"]):
            assert name in resources or name.startswith("AWS::"), statement["Sid"]


@pytest.mark.parametrize("name", REACTIONS)
def test_a_function_may_read_exactly_the_queues_it_is_mapped_to(
    name: str, resources: Resources
) -> None:
    mapped = {named(m["Queue"]) for m in mappings(resources[name.capitalize()])}

    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert allowed(name, action) == mapped


@pytest.mark.parametrize("name", ["api", *REACTIONS])
def test_whoever_publishes_may_also_spill_and_leave_a_claim(name: str) -> None:
    publishes = bool(allowed(name, "events:PutEvents"))

    assert ("SpillQueue" in allowed(name, "sqs:SendMessage")) == publishes
    assert bool(allowed(name, "s3:PutObject")) == publishes


def test_only_the_front_door_reads_what_platforms_sign_with() -> None:
    readers = [
        name
        for name in ("api", *REACTIONS)
        if "VerifySecret" in allowed(name, "secretsmanager:GetSecretValue")
    ]
    assert readers == ["api"]


# -- the rest ------------------------------------------------------------------------------------


def test_every_parameter_says_what_it_is_for(sam: dict[str, Any]) -> None:
    for name, parameter in sam["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name


def test_the_stage_that_was_built_is_the_stage_that_is_deployed(sam: dict[str, Any]) -> None:
    assert sam["Parameters"]["Stage"]["Default"] == "prod"


def test_what_others_build_on_is_among_the_outputs(sam: dict[str, Any]) -> None:
    needed = (
        "ApiUrl BusName TableName BucketName OutboxQueueUrl ClocksQueueUrl SpillQueueUrl"
        " VerifySecretName SendSecretName SettingsName EndpointURL RestAPIId"
    )
    assert set(needed.split()) <= set(sam["Outputs"])


def test_the_api_url_is_chalices_without_its_slash(sam: dict[str, Any]) -> None:
    own, chalices = (sam["Outputs"][name]["Value"]["Fn::Sub"] for name in ("ApiUrl", "EndpointURL"))

    assert f"{own}/" == chalices


def test_no_function_overrides_the_environment_of_all(
    sam: dict[str, Any], resources: Resources
) -> None:
    shared = sam["Globals"]["Function"]["Environment"]["Variables"]

    assert {"PARLEY_STAGE", "PARLEY_BUS", "PARLEY_TABLE", "PARLEY_OUTBOUND"} <= set(shared)
    for function in functions(resources).values():
        assert not function["Properties"].get("Environment", {}).get("Variables")


def test_the_front_door_hands_bodies_over_as_they_came(resources: Resources) -> None:
    api = resources["RestAPI"]["Properties"]

    assert api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    assert api["EndpointConfiguration"] == "REGIONAL"
    assert api["TracingEnabled"] is False


def test_what_is_kept_is_encrypted_private_and_survives_the_stack(resources: Resources) -> None:
    table, bucket = resources["HubTable"], resources["HubBucket"]

    assert table["Properties"]["SSESpecification"]["SSEEnabled"] is True
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert {table["DeletionPolicy"], bucket["DeletionPolicy"]} == {"RetainExceptOnCreate"}
    assert all(q["Properties"]["SqsManagedSseEnabled"] is True for q in queues(resources).values())


def test_the_list_of_what_is_not_emulated_is_not_stale(resources: Resources) -> None:
    assert set(NOT_EMULATED) <= {resource["Type"] for resource in resources.values()}


def test_the_emulator_gets_numbers_as_numbers(sam: dict[str, Any]) -> None:
    template, left_out = emulated(sam, {"Concurrency": "7"})
    [mapping] = mappings(template["Resources"]["Triage"])

    assert left_out == {"HubArchive": "AWS::Events::Archive"}
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 7}
    assert "HubArchive" in sam["Resources"]
