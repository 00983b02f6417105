"""The contract's strange items for what is posted as XML: WeChat, WeCom and Weibo."""

import json
from typing import Any

import pytest

from chalicelib.channels._xml import read_xml
from tests import samples
from tests.contract.test_strange_items import WORST, heard, places, without_one_field
from tests.samples import Sample

XML = [s for s in samples.of_project() if s.body.startswith(b"<")]


def document(sample: Sample) -> Any:
    return json.loads(json.dumps(read_xml(sample.body)))


@pytest.mark.parametrize("sample", XML, ids=str)
def test_one_field_less_or_of_a_strange_kind_is_a_fact_or_kept_whole(sample: Sample) -> None:
    """They are read from JSON too, so every kind of value can be put in a field's place."""
    for less in without_one_field(document(sample)):
        heard(sample, less)
    for number, strange in enumerate(places(document(sample))):
        heard(sample, strange(WORST[number % len(WORST)]))
