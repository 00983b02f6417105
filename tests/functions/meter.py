"""Counts what a piece of work costs at AWS: calls, and DynamoDB's units."""

from collections import Counter
from typing import Any

from tests.functions import units
from tests.gateways.aws import ENV, Aws, spare

_REFUSED = "ConditionalCheckFailedException"
_READS, _WRITES = ("GetItem", "Query"), ("PutItem", "UpdateItem", "BatchWriteItem")


class Meter:
    """From its making on; looks into the table before and after every write."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.reads, self.writes = aws, 0.0, 0.0
        self._before: list[dict[str, Any] | None] = []
        aws.wire.watch = self
        aws.wire.sent.clear()

    @property
    def calls(self) -> str:
        """`PutItem, Query ×2`; nothing is a dash."""
        counted = Counter(self.aws.wire.sent)
        told = (name if n == 1 else f"{name} ×{n}" for name, n in counted.items())
        return ", ".join(told) or "–"

    def asked(self, operation: str, params: dict[str, Any]) -> None:
        if operation in _WRITES:
            self._before = list(map(_stored, _keys(params)))

    def answered(self, operation: str, params: dict[str, Any], parsed: dict[str, Any]) -> None:
        if operation in _READS:
            found = parsed.get("Items") or ([parsed["Item"]] if "Item" in parsed else [])
            self.reads += units.read(found, consistent=params.get("ConsistentRead", False))
        elif parsed.get("Error", {}).get("Code") == _REFUSED:
            [before] = self._before
            self.writes += units.refused(before, params.get("Item") or before or {})
        elif operation in _WRITES:
            pairs = zip(self._before, map(_stored, _keys(params)), strict=True)
            self.writes += sum(units.written(before, after) for before, after in pairs)


def _keys(params: dict[str, Any]) -> list[dict[str, Any]]:
    if "RequestItems" in params:
        [writes] = params["RequestItems"].values()
        items = [write["PutRequest"]["Item"] for write in writes]
    else:
        items = [params.get("Item") or params["Key"]]
    return [{"pk": item["pk"], "sk": item["sk"]} for item in items]


def _stored(key: dict[str, Any]) -> dict[str, Any] | None:
    answer: Any = spare("dynamodb").get_item(TableName=ENV["PARLEY_TABLE"], Key=key)
    found: dict[str, Any] | None = answer.get("Item")
    return found
