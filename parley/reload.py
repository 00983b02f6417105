"""Edits become live: sources are watched, checked outside the hub, then given to it."""

import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from parley.bundle import files
from parley.ministack import REGION
from parley.screen import Failure

CODE = ("app.py", "chalicelib")
DEPLOYED = ("infra", ".chalice", "requirements.txt")
"""What only a new deployment takes in."""
CONFIGURATION = ("events/secrets.json", "events/settings.json")
_IMPORT_ALL = "import app, logging; logging.disable()"


class Watch:
    """Says which files changed since it was last asked. Looks at sizes and times only."""

    def __init__(self, root: Path, sources: Iterable[str]) -> None:
        self._root = root
        self._sources = tuple(sources)
        self._seen = self._look()

    def changed(self) -> list[Path]:
        """Files that came, went or were edited, in order."""
        before, self._seen = self._seen, self._look()
        paths = before.keys() | self._seen.keys()
        return sorted(path for path in paths if before.get(path) != self._seen.get(path))

    def _look(self) -> Mapping[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        for path in files(self._root, self._sources):
            try:
                about = path.stat()
            except FileNotFoundError:  # an editor replaces a file by renaming another
                continue
            found[path] = (about.st_mtime_ns, about.st_size)
        return found


def check_syntax(paths: Iterable[Path], root: Path) -> None:
    """Failure with file, line and text for the first of `paths` that is not Python."""
    for path in paths:
        if path.suffix == ".py" and path.exists():
            _compile(path, str(path.relative_to(root)))


def _compile(path: Path, name: str) -> None:
    try:
        compile(path.read_bytes(), name, "exec")
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise Failure(f"{name}:{error.lineno or 0}: {error.msg}: {line}") from error
    except ValueError as error:  # a NUL byte, before Python 3.12
        raise Failure(f"{name}: {error}") from error


def check_imports(code: bytes, python: Path, layer: Path, scratch: Path) -> None:
    """Failure with the last line of the traceback when the code cannot be imported."""
    shutil.rmtree(scratch, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(code)) as packed:
        packed.extractall(scratch)
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME")},
        "PYTHONPATH": str(layer),
        "AWS_DEFAULT_REGION": REGION,
    }
    done = subprocess.run(
        [str(python), "-c", _IMPORT_ALL],
        cwd=scratch,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failure(_blame(done.stderr.strip().splitlines(), scratch))


def _blame(lines: list[str], scratch: Path) -> str:
    """`file:line: error` of the innermost frame in our own code."""
    ours = [line.strip() for line in lines if line.strip().startswith(f'File "{scratch}')]
    where = ours[-1].replace(f'File "{scratch}/', "").replace('", line ', ":") if ours else ""
    return f"{where.partition(',')[0]}: {lines[-1] if lines else 'it does not import'}"
