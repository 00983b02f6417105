"""What wakes an operator: any message in a dead-letter queue, any message that waits too long."""

from collections.abc import Iterator
from typing import Any

Resources = dict[str, Any]

PATIENCE = 300  # seconds a message may wait before somebody is told
LONG_PATIENCE = 1800  # the same where waiting is normal: delays on a queue go up to 15 minutes
DELAYED = frozenset({"OutboxQueue", "ClocksQueue"})


def alarms(resources: Resources) -> Resources:
    """One AWS::CloudWatch::Alarm per queue of the template, by the part the queue plays."""
    dead = set(_dead_letter_queues(resources))
    queues = (name for name, item in resources.items() if item.get("Type") == "AWS::SQS::Queue")
    return {f"{name}Alarm": _dead(name) if name in dead else _stale(name) for name in queues}


def _dead_letter_queues(resources: Resources) -> Iterator[str]:
    for item in resources.values():
        properties = item.get("Properties", {})
        if "RedrivePolicy" in properties:
            yield properties["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        if item.get("Type") == "AWS::Events::Rule":
            for target in properties["Targets"]:
                yield target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]


def _dead(queue: str) -> dict[str, Any]:
    return _alarm(
        queue,
        metric="ApproximateNumberOfMessagesVisible",
        threshold=0,
        minutes=1,
        says=f"Messages are in {queue}. Look at them with: parley dlq --stage ${{Stage}}",
    )


def _stale(queue: str) -> dict[str, Any]:
    patience = LONG_PATIENCE if queue in DELAYED else PATIENCE
    return _alarm(
        queue,
        metric="ApproximateAgeOfOldestMessage",
        threshold=patience,
        minutes=3,
        says=f"The oldest message of {queue} has waited more than {patience} s (${{Stage}}).",
    )


def _alarm(queue: str, *, metric: str, threshold: int, minutes: int, says: str) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": {"Fn::Sub": says},
            "Namespace": "AWS/SQS",
            "MetricName": metric,
            "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": minutes,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": _actions(),
            "OKActions": _actions(),
        },
    }


def _actions() -> dict[str, Any]:
    return {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
