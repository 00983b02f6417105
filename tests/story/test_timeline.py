"""What a person reads: a line for every type, no line too wide, everything that was said in it."""

from functools import cache

import pytest

from chalicelib import sources
from chalicelib.events import TYPES
from parley import story
from parley.story import Run
from parley.story_evidence import Evidence
from parley.story_play import Answered, tell
from parley.timeline import Scene, lines, scenes
from parley.timeline_words import gist, types
from tests.fakes import NOON
from tests.samples import of_project
from tests.story.memory import Town


@cache
def played(name: str) -> tuple[Run, tuple[Answered, ...], Evidence]:
    run = Run(story.load(name), "a run", NOON)
    town = Town(run)
    return run, tuple(tell(run, town)), town.evidence()


def shown(name: str) -> list[Scene]:
    run, answered, seen = played(name)
    return scenes(run.deliveries, answered, seen)


def test_every_type_has_words() -> None:
    assert types() == TYPES.keys()


def test_every_sample_reads_as_one_line() -> None:
    for sample in of_project():
        for event in sources.get(sample.source).read(sample.request):
            data = event.detail()["data"]
            line = gist(event.type, data)
            assert line.strip() and "\n" not in line.replace(data.get("raw", ""), ""), line


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("name", story.names())
def test_no_line_is_wider_than_the_screen(name: str, width: int) -> None:
    for scene in shown(name):
        for line in lines(scene, width):
            assert line.cell_len <= width, line.plain


@pytest.mark.parametrize("name", story.names())
def test_everything_said_outside_is_shown(name: str) -> None:
    _, _, seen = played(name)
    told = [beat for scene in shown(name) for beat in scene.beats if beat.who.startswith("→")]
    assert len(told) == len(seen.messages)


def test_the_parcel_s_story_reads_as_it_was() -> None:
    text = "\n".join(line.plain for scene in shown("parcel") for line in lines(scene))
    for part in (
        "came by QR code: qr-lamp-box",
        "1 × Dune table lamp + 2 × E27 filament bulb",
        "80.00 USD captured, read again at Shopify",
        "✗ 401",
        "newer news",
        "reads: complaint · order #",
        "A person has your case",
    ):
        assert part in text
