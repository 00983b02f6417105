"""What DynamoDB charges for a call: capacity units from the sizes of items, as AWS counts them.

Writes: a unit per KB of the larger of the item before and after; an index takes units of its own
when one of its keys or projected attributes changes; a refused condition costs as if it held.
Reads: a unit per 4 KB read consistently, half for an index. Batches count item by item.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from math import ceil
from typing import Any

KB = 1024
INDEX = ("pk", "sk", "gsi1pk", "gsi1sk")
"""All that gsi1 holds: it projects keys alone."""
Item = dict[str, Any]


def size(item: Item) -> int:
    """Bytes of an item as the API writes it: `{name: {type: value}}`."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def written(before: Item | None, after: Item | None) -> float:
    """Units of a write that found `before` and left `after`."""
    table = max(1, ceil(max(size(before or {}), size(after or {})) / KB))
    return table + _index_units(_projected(before), _projected(after))


def refused(before: Item | None, wanted: Item) -> float:
    """Units of a write whose condition failed."""
    return max(1, ceil(max(size(before or {}), size(wanted)) / KB))


def read(items: list[Item], *, consistent: bool) -> float:
    """Units of one page that read these items."""
    blocks = max(1, ceil(sum(map(size, items)) / (4 * KB)))
    return blocks if consistent else blocks / 2


def _projected(item: Item | None) -> Item | None:
    if not item or not all(name in item for name in INDEX):
        return None
    return {name: item[name] for name in INDEX}


def _index_units(before: Item | None, after: Item | None) -> int:
    """None where the entry stays as it is; one to add or remove it; two to move it."""
    if before == after:
        return 0
    return sum(ceil(size(entry) / KB) for entry in (before, after) if entry)


def _value(value: dict[str, Any]) -> int:
    [(kind, held)] = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return _number(held)
        case "M":
            return 3 + sum(1 + len(k.encode()) + _value(v) for k, v in held.items())
        case "L":
            return 3 + sum(1 + _value(v) for v in held)
    return 1  # a truth or nothing


def _number(text: str) -> int:
    """About a byte per two digits, without zeros at the ends, and one more."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return ceil(len(digits) / 2) + 1 + text.startswith("-")
