"""The arrows of the house point down (DESIGN §2), and a few things are nowhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIB = ROOT / "chalicelib"
MODULES = sorted(LIB.rglob("*.py"))
PURE = ("channels", "carriers", "desks", "domain", "reading")
ROOMS = {*PURE, "functions", "gateways", "console"}
MAY_IMPORT = {
    **{name: set() for name in PURE},
    "gateways": set(),
    "functions": set(PURE),
    "console": set(PURE),
    "": {*PURE, "gateways"},
}
WORLD = {"boto3", "botocore", "chalice", "urllib3", "aws_lambda_powertools", "os", "time", "socket"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "models", "services", "misc"}


def room(path: Path) -> str:
    parts = path.relative_to(LIB).parts
    return parts[0] if parts[0] in ROOMS else ""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    for name in imports(path):
        parts = name.split(".")
        there = parts[1] if parts[0] == "chalicelib" and len(parts) > 1 else ""
        if there in ROOMS and there != here:
            assert there in MAY_IMPORT[here], f"{names(path)} imports {name}"


@pytest.mark.parametrize("path", [m for m in MODULES if room(m) in PURE], ids=names)
def test_what_is_pure_has_no_io_and_no_clock(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & WORLD
    assert not re.search(r"\b(utcnow|now|today)\(\)", path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_only_functions_and_console_import_chalice(path: Path) -> None:
    if room(path) not in ("functions", "console"):
        assert "chalice" not in {name.split(".")[0] for name in imports(path)}


def test_one_file_reads_the_clock() -> None:
    readers = [names(m) for m in MODULES if "datetime.now(" in m.read_text()]
    assert readers == ["chalicelib/wiring.py"]


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_module_is_a_noun_of_the_field(path: Path) -> None:
    assert path.stem.strip("_") not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
            assert lines <= 26, f"{names(path)}: {node.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_digests_are_never_compared_with_equals(path: Path) -> None:
    assert not re.search(
        r"(digest|signature|hmac)\w*\s*==|==\s*\w*(digest|signature)", path.read_text()
    )
