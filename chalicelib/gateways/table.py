"""The table: facts by key. Every call is one key or one index query; nothing scans."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Unavailable

Item = dict[str, Any]
_T = TypeVar("_T")
_WRITE = TypeSerializer()
_READ = TypeDeserializer()
_BATCH = 25
_INDEX = "gsi1"


class Table:
    """Items are plain dicts with `pk` and `sk`; numbers come back as int or Decimal."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name

    def put(self, item: Item) -> None:
        """Write it, whatever was there: where the same key always holds the same."""
        self._call(lambda: self._client.put_item(TableName=self._name, Item=_packed(item)))

    def put_new(self, item: Item) -> bool:
        """Write it unless something is there; True when it is ours.

        An SDK retry may report a condition that we ourselves met: `item["owner"]`, when given,
        tells our item from another's.
        """
        stored = self._conditional(
            lambda: self._client.put_item(
                TableName=self._name,
                Item=_packed(item),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        )
        return stored is None or ("owner" in item and stored.get("owner") == item["owner"])

    def put_newer(self, item: Item, field: str) -> bool:
        """A register: write it unless what is there has an equal or larger `field`."""
        return self._put_if(item, field, "<")

    def put_older(self, item: Item, field: str) -> bool:
        """A fact: write it unless what is there has an equal or smaller `field`."""
        return self._put_if(item, field, ">")

    def put_all(self, items: Sequence[Item]) -> None:
        """Many at once, in calls of 25; keys must differ."""
        for start in range(0, len(items), _BATCH):
            writes = [{"PutRequest": {"Item": _packed(i)}} for i in items[start : start + _BATCH]]
            self._write_batch({self._name: writes})

    def get(self, pk: str, sk: str) -> Item | None:
        """One item, as it is now."""
        key = _packed({"pk": pk, "sk": sk})
        answer = self._call(
            lambda: self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        )
        return _unpacked(answer["Item"]) if "Item" in answer else None

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        """Every item of a partition whose sort key begins with `prefix`, in key order."""
        condition, values = "pk = :pk", {":pk": pk}
        if prefix:
            condition, values = condition + " AND begins_with(sk, :sk)", {**values, ":sk": prefix}
        return self._pages(
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_packed(values),
            ConsistentRead=True,
        )

    def due(self, shard: str, until: str) -> list[Item]:
        """Keys of what falls due in a shard up to `until` (ISO time), the soonest first."""
        return self._pages(
            IndexName=_INDEX,
            KeyConditionExpression="gsi1pk = :p AND gsi1sk <= :u",
            ExpressionAttributeValues=_packed({":p": shard, ":u": until}),
        )

    def change(
        self,
        pk: str,
        sk: str,
        set: Mapping[str, Any],
        *,
        when: Mapping[str, Any],
        remove: Iterable[str] = (),
    ) -> Item | None:
        """Set and remove attributes if every `when` still holds; the new item, else None.

        Where all of it is so already it counts as ours: the SDK asks again when an answer is
        lost, and meets what we wrote. Put an `owner` into `set` where another could write the same.
        """
        names, values = _placeholders(set, when, remove)
        try:
            answer = self._client.update_item(
                TableName=self._name,
                Key=_packed({"pk": pk, "sk": sk}),
                UpdateExpression=_update(set, remove),
                ConditionExpression=" AND ".join(f"#{_n(k)} = :w_{_n(k)}" for k in when),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _own(_refusal(error), set, remove)
        except BotoCoreError as error:
            raise Unavailable("the table did not answer") from error
        return _unpacked(answer["Attributes"])

    def _pages(self, **query: Any) -> list[Item]:
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            call = partial(self._client.query, TableName=self._name, **query, **start)
            answer = self._call(call)
            found.extend(map(_unpacked, answer["Items"]))
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _put_if(self, item: Item, field: str, order: str) -> bool:
        """True also where the very item is there: our own, whose answer was lost."""
        stored = self._conditional(
            lambda: self._client.put_item(
                TableName=self._name,
                Item=_packed(item),
                ConditionExpression=f"attribute_not_exists(pk) OR #f {order} :v",
                ExpressionAttributeNames={"#f": field},
                ExpressionAttributeValues={":v": _WRITE.serialize(item[field])},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        )
        return stored is None or stored == item

    def _write_batch(self, pending: dict[str, Any]) -> None:
        for _ in range(5):
            answer = self._call(partial(self._client.batch_write_item, RequestItems=pending))
            pending = answer.get("UnprocessedItems") or {}
            if not pending:
                return
        raise Unavailable("the table did not take every item")

    def _conditional(self, write: Callable[[], Any]) -> Item | None:
        """What stands in the way of a conditional write; None when it was written."""
        try:
            write()
        except ClientError as error:
            return _refusal(error)
        except BotoCoreError as error:
            raise Unavailable("the table did not answer") from error
        return None

    def _call(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the table: {type(error).__name__}") from error


def _refusal(error: ClientError) -> Item:
    """The item that a failed condition met; Unavailable for any other refusal."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise Unavailable(f"the table: {error.response['Error']['Code']}") from error
    found: Any = error.response.get("Item", {})
    return _unpacked(found)


def _own(stored: Item, set: Mapping[str, Any], remove: Iterable[str]) -> Item | None:
    done = all(k in stored and stored[k] == v for k, v in set.items())
    return stored if done and not any(k in stored for k in remove) else None


def _n(name: str) -> str:
    return name.replace("-", "_")


def _update(set: Mapping[str, Any], remove: Iterable[str]) -> str:
    parts = ["SET " + ", ".join(f"#{_n(k)} = :s_{_n(k)}" for k in set)]
    if gone := ", ".join(f"#{_n(k)}" for k in remove):
        parts.append("REMOVE " + gone)
    return " ".join(parts)


def _placeholders(
    set: Mapping[str, Any], when: Mapping[str, Any], remove: Iterable[str]
) -> tuple[dict[str, str], dict[str, Any]]:
    names = {f"#{_n(k)}": k for k in (*set, *when, *remove)}
    values = {f":s_{_n(k)}": _WRITE.serialize(v) for k, v in set.items()}
    return names, {**values, **{f":w_{_n(k)}": _WRITE.serialize(v) for k, v in when.items()}}


def _packed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _WRITE.serialize(value) for key, value in item.items()}


def _unpacked(item: Mapping[str, Any]) -> Item:
    return {key: _READ.deserialize(value) for key, value in item.items()}
