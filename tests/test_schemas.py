"""The committed schemas are the models' own, and every sample's facts obey them."""

import json

from jsonschema import Draft202012Validator

from parley import schemas
from tests import samples

DOCUMENT = json.loads(schemas.FILE.read_text())
BY_TYPE = {
    each["title"]: Draft202012Validator({**each, "$defs": DOCUMENT["$defs"]})
    for each in DOCUMENT["oneOf"]
}


def test_the_committed_schemas_are_true() -> None:
    assert schemas.FILE.read_text() == schemas.text(), "run: parley schemas --write"


@samples.each_of(samples.of_project())
def test_a_fact_obeys_its_schema(sample: samples.Sample) -> None:
    for event in samples.received(sample.source, sample.request):
        BY_TYPE[event.type].validate(event.detail())
