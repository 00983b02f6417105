"""A log line is a word and ids, which the runtime writes as JSON fields."""

import logging

import pytest

from chalicelib.gateways.lines import Lines


@pytest.mark.parametrize("level", ["info", "warning"])
def test_ids_are_fields_of_the_record(level: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "parley.test")
    getattr(Lines(logging.getLogger("parley.test")), level)("accepted", source="line", events=2)
    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == (level.upper(), "accepted")
    assert vars(record)["source"] == "line" and vars(record)["events"] == 2
    assert not record.args and record.exc_info is None
