"""What the README shows is what the classes and the commands say."""

import re
from pathlib import Path

from typer.main import get_command

from chalicelib import sources
from parley.channels import as_markdown, row
from parley.cli import app

README = (Path(__file__).parent.parent / "README.md").read_text()
MAKEFILE = (Path(__file__).parent.parent / "Makefile").read_text()


CODE = "\n".join(re.findall(r"`[^`\n]+`|```.*?```", README, re.S))


def between(name: str) -> str:
    found = re.search(rf"<!-- {name}[^>]*-->\n(.*?)<!-- /{name} -->", README, re.S)
    assert found, f"no {name} in the README"
    return found.group(1).strip()


def test_the_matrix_is_made_from_the_classes() -> None:
    made = as_markdown([row(sources.get(name)) for name in sources.inbound()])
    assert between("matrix") == made.strip(), "paste the output of: parley channels --markdown"


def test_every_command_that_is_named_exists() -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    assert set(re.findall(r"parley ([a-z]+)", CODE)) - set(known) == set()


def test_every_make_target_that_is_named_exists() -> None:
    for target in re.findall(r"\bmake ([a-z]+)", CODE):
        assert re.search(rf"^{target}:", MAKEFILE, re.M), target


def test_every_file_that_is_linked_exists() -> None:
    root = Path(__file__).parent.parent
    for link in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (root / link).exists(), link
