"""Who may put messages into a queue: exactly the rules that target it, and nobody else."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

Resources = dict[str, Any]


def queue_policies(resources: Resources) -> Resources:
    """One AWS::SQS::QueuePolicy per queue that a rule delivers to or dead-letters into."""
    senders: dict[str, list[str]] = defaultdict(list)
    for rule, queue in _deliveries(resources):
        senders[queue].append(rule)
    return {f"{queue}Policy": _policy(queue, senders[queue], resources) for queue in senders}


def _deliveries(resources: Resources) -> Iterator[tuple[str, str]]:
    for name, resource in resources.items():
        if resource.get("Type") == "AWS::Events::Rule":
            for target in resource["Properties"]["Targets"]:
                yield name, target["Arn"]["Fn::GetAtt"][0]
                yield name, target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]


def _policy(queue: str, rules: list[str], resources: Resources) -> dict[str, Any]:
    statement = {
        "Sid": "RulesOnly",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": [_arn(rule, resources) for rule in rules]}},
    }
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": queue}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }


def _arn(rule: str, resources: Resources) -> dict[str, Any]:
    arn = {"Fn::GetAtt": [rule, "Arn"]}
    condition = resources[rule].get("Condition")
    return {"Fn::If": [condition, arn, {"Ref": "AWS::NoValue"}]} if condition else arn
