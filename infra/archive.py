"""Zip files that come out the same to the byte, and bytecode that a read-only folder can use."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.target import interpreter

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can name
Entry = tuple[str, Path]


def tree(folder: Path, prefix: str = "") -> Iterator[Entry]:
    """Every file below `folder` with its name in the archive, in one order everywhere."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"{prefix}{path.relative_to(folder).as_posix()}", path


def write(target: Path, entries: Iterable[Entry], *, after: Path | None = None) -> None:
    """Write `entries` to `target`, behind a copy of the archive `after` when one is given.

    The archive appears whole or not at all: whoever watches `target` never reads half of one.
    """
    draft = target.with_suffix(".part")
    if after:
        shutil.copyfile(after, draft)
    with zipfile.ZipFile(draft, "a" if after else "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in entries:
            archive.writestr(_header(name), path.read_bytes())
    draft.replace(target)


def _header(name: str) -> zipfile.ZipInfo:
    header = zipfile.ZipInfo(name, EPOCH)
    header.compress_type = zipfile.ZIP_DEFLATED
    header.create_system = 3  # Unix, wherever it was built
    header.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
    return header


def compile_tree(folder: Path, python: str) -> None:
    """Write bytecode that is used unchecked: Lambda's folder is read-only and its dates are fixed.

    A process of its own with a fixed hash seed, because the order of a frozen set is in the bytes.
    """
    command = [interpreter(python), "-S", "-m", "compileall", "-q", "-s", str(folder)]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})
