"""JSON Schemas of the event contract, made from the models and kept in `infra/schemas`."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from chalicelib.events import TYPES

FILE = Path(__file__).parent.parent / "infra" / "schemas" / "events.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TIMES = ("time", "recordedtime")


def schemas() -> dict[str, Any]:
    """One document: `oneOf` over every type, each the envelope with its own `data`."""
    models = [(model, "serialization") for model in dict.fromkeys(TYPES.values())]
    refs, definitions = models_json_schema(models)  # type: ignore[arg-type]
    return {
        "$schema": _DIALECT,
        "$id": "urn:parley:events:1",
        "title": "Parley events",
        "oneOf": [_envelope(type_, refs[model, "serialization"]) for type_, model in TYPES.items()],
        **definitions,
    }


def text() -> str:
    """As the file holds it."""
    return json.dumps(schemas(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write() -> Path:
    """Make the file true again."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text())
    return FILE


def _envelope(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    string = TypeAdapter(str).json_schema()
    time = {"type": "string", "format": "date-time"}
    required = ["specversion", "id", "source", "type", "subject", *_TIMES, "dataschema",
                "datacontenttype", "partitionkey", "correlationid", "hops",
                "dataclassification", "data"]  # fmt: skip
    return {
        "title": type_,
        "type": "object",
        "required": required,
        "properties": {
            **dict.fromkeys(("id", "source", "subject", "partitionkey", "correlationid"), string),
            **dict.fromkeys(_TIMES, time),
            "specversion": {"const": "1.0"},
            "type": {"const": type_},
            "dataschema": {"const": f"urn:parley:{type_}:1"},
            "datacontenttype": {"const": "application/json"},
            "causationid": string,
            "hops": {"type": "integer", "minimum": 0},
            "timesuspect": {"const": True},
            "dataclassification": {"enum": ["personal", "business", "public"]},
            "data": data,
        },
    }
