"""Edits are seen, and code that cannot run is named before it reaches the hub."""

import io
import sys
import zipfile
from pathlib import Path

import pytest

from parley.reload import CODE, Watch, check_imports, check_syntax
from parley.screen import Failure


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "app.py").write_text("one = 1\n")
    (tmp_path / "chalicelib" / "a.py").write_text("two = 2\n")
    return tmp_path


def zipped(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as code:
        for name, text in files.items():
            code.writestr(f"{name}.py", text)
    return buffer.getvalue()


def test_an_edit_a_new_file_and_a_deleted_one_are_seen_once(root: Path) -> None:
    watch = Watch(root, CODE)
    assert watch.changed() == []

    (root / "app.py").write_text("one = 111\n")
    (root / "chalicelib" / "b.py").write_text("")
    (root / "chalicelib" / "a.py").unlink()

    assert [path.name for path in watch.changed()] == ["app.py", "a.py", "b.py"]
    assert watch.changed() == []


def test_bytecode_is_not_an_edit(root: Path) -> None:
    watch = Watch(root, CODE)
    (root / "chalicelib" / "__pycache__").mkdir()
    (root / "chalicelib" / "__pycache__" / "a.pyc").write_bytes(b"x")

    assert watch.changed() == []


@pytest.mark.parametrize("text", ["def broken(:\n", "x = 1\n  y = 2\n", "x = '\0'"])
def test_what_is_not_python_is_named_with_its_place(root: Path, text: str) -> None:
    bad = root / "chalicelib" / "a.py"
    bad.write_text(text)

    with pytest.raises(Failure, match=r"chalicelib/a\.py"):
        check_syntax([root / "app.py", bad, root / "chalicelib" / "deleted.py"], root)


def test_code_that_does_not_import_is_named_with_its_place(tmp_path: Path) -> None:
    python, layer, scratch = Path(sys.executable), tmp_path / "layer", tmp_path / "check"
    check_imports(zipped(app="import other", other="x = 1"), python, layer, scratch)

    broken = zipped(app="import other", other="\n\nx = undefined_name")
    with pytest.raises(Failure, match=r"other\.py:3: NameError: name 'undefined_name'"):
        check_imports(broken, python, layer, scratch)
