"""JSON Schemas of the event contract, made from the models and kept in `infra/schemas`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from chalicelib.events import TYPES
from parley.screen import Failure, out

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


def command(
    write_file: Annotated[
        bool, typer.Option("--write", help="Write infra/schemas/events.json again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the schemas.")] = False,
) -> None:
    """Say whether the committed JSON Schemas are the models' own; make them so.

    Example: parley schemas --write
    """
    if write_file:
        out.print(f"wrote {write().name}")
    elif as_json:
        typer.echo(text())
    elif FILE.exists() and FILE.read_text() == text():
        out.print(f"{len(TYPES)} event types; the committed schemas are true")
    else:
        raise Failure("the committed schemas are not the models' own", "parley schemas --write")
