"""The committed schemas are the models' own, and every sample's facts obey them."""

import json

import pytest
from jsonschema import Draft202012Validator

from chalicelib import sources
from parley import schemas
from tests import samples

DOCUMENT = json.loads(schemas.FILE.read_text())
BY_TYPE = {
    each["title"]: Draft202012Validator({**each, "$defs": DOCUMENT["$defs"]})
    for each in DOCUMENT["oneOf"]
}


def test_the_committed_schemas_are_true() -> None:
    assert schemas.FILE.read_text() == schemas.text(), "run: parley schemas --write"


@pytest.mark.parametrize("sample", samples.of_project(), ids=str)
def test_a_fact_obeys_its_schema(sample: samples.Sample) -> None:
    source = sources.get(sample.source)
    for event in source.receive(samples.signed(sample), samples.secrets(sample.source)):
        BY_TYPE[event.type].validate(event.detail())
