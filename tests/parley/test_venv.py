"""Environments are made once, and again when what they hold should change."""

from pathlib import Path

import pytest

from parley import venv
from parley.screen import Unready


def test_an_environment_is_made_once_and_again_when_its_requirements_change(
    tmp_path: Path,
) -> None:
    wanted, path = tmp_path / "requirements.txt", tmp_path / "env"
    wanted.write_text("# nothing\n")
    said: list[str] = []

    python = venv.ensure(path, wanted, said.append)
    venv.ensure(path, wanted, said.append)
    assert python.exists()
    assert len(said) == 1

    wanted.write_text("# still nothing\n")
    assert not venv.is_ready(path, wanted)
    venv.ensure(path, wanted, said.append)
    assert len(said) == 2


def test_what_pip_cannot_install_leaves_no_environment(tmp_path: Path) -> None:
    wanted, path = tmp_path / "requirements.txt", tmp_path / "env"
    wanted.write_text(f"{tmp_path}/no-such-package.whl\n")

    with pytest.raises(Unready, match=r"pip could not install requirements\.txt"):
        venv.ensure(path, wanted)
    assert not path.exists()
