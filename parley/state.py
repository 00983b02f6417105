"""What `--state DIR` keeps between two hubs: the table's items and the bucket's objects.

Queues are not kept: the sweep finds what was due, as it does after any crash.
"""

import base64
import gzip
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parley.stage import Stage

_TABLE = "table.jsonl.gz"
_BUCKET = "bucket.zip"
_AT_ONCE = 25  # what BatchWriteItem takes


def save(stage: Stage, folder: Path) -> None:
    """Write everything into `folder`; what lay there is replaced only when all is read."""
    folder.mkdir(parents=True, exist_ok=True)
    table, bucket = folder / f"{_TABLE}.part", folder / f"{_BUCKET}.part"
    with gzip.open(table, "wt") as lines:
        for item in _items(stage):
            lines.write(json.dumps(item, default=_base64) + "\n")
    with zipfile.ZipFile(bucket, "w", zipfile.ZIP_DEFLATED) as objects:
        for key, body in _objects(stage):
            objects.writestr(key, body)
    table.replace(folder / _TABLE)
    bucket.replace(folder / _BUCKET)


def restore(stage: Stage, folder: Path) -> None:
    """Put back what an earlier hub wrote; nothing where nothing was written."""
    if (table := folder / _TABLE).exists():
        with gzip.open(table, "rt") as lines:
            _put_items(stage, [json.loads(line, object_hook=_bytes) for line in lines])
    if (bucket := folder / _BUCKET).exists():
        with zipfile.ZipFile(bucket) as objects:
            for key in objects.namelist():
                _put_object(stage, key, objects.read(key))


def _items(stage: Stage) -> Iterator[dict[str, Any]]:
    pages = stage.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=stage.outputs["TableName"], ConsistentRead=True):
        yield from page["Items"]


def _put_items(stage: Stage, items: list[dict[str, Any]]) -> None:
    table = stage.outputs["TableName"]
    for start in range(0, len(items), _AT_ONCE):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + _AT_ONCE]]
        stage.client("dynamodb").batch_write_item(RequestItems={table: puts})


def _objects(stage: Stage) -> Iterator[tuple[str, bytes]]:
    client, bucket = stage.client("s3"), stage.outputs["BucketName"]
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", ()):
            yield each["Key"], client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()


def _put_object(stage: Stage, key: str, body: bytes) -> None:
    stage.client("s3").put_object(Bucket=stage.outputs["BucketName"], Key=key, Body=body)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(value: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB's own JSON: `{"B": base64}` and `{"BS": [base64]}` are bytes."""
    match value:
        case {"B": str(text)}:
            return {"B": base64.b64decode(text)}
        case {"BS": list(texts)} if len(value) == 1:
            return {"BS": [base64.b64decode(text) for text in texts]}
    return value
