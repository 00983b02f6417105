"""The bundle of the embedded hub: built when its sources changed, and cut in two.

A Lambda worker unpacks what it is given. Twelve functions with the whole bundle each cost ten
seconds on two cores; the same packages unpacked once and shared cost half, and an edit travels
in a second. Packages lie in a folder every worker imports from; code is what the functions get.
"""

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.build import Built, build, code_zip
from infra.layer import Layer, layer
from infra.target import Target
from parley.alone import alone
from parley.screen import Say, silent
from parley.stage import LOCAL

_SOURCES = ("app.py", "requirements.txt", "chalicelib", ".chalice", "infra")


@dataclass(frozen=True)
class Bundle:
    """What was built, and the layer of packages below its code."""

    built: Built
    layer: Layer
    root: Path

    def code(self) -> bytes:
        """A zip of what the bundle holds beyond its layer."""
        return _beyond(self.built.bundle, self.layer)

    def fresh_code(self, scratch: Path) -> bytes:
        """The same for the sources as they lie now; `scratch` is a file to use meanwhile."""
        return _beyond(code_zip(scratch, root=self.root), self.layer)

    def lay(self, link: Path) -> None:
        """Point `link` at the unpacked packages."""
        link.unlink(missing_ok=True)
        link.symlink_to(self.layer.folder, target_is_directory=True)


def prepare(root: Path, say: Say = silent) -> Bundle:
    """The bundle of `root` for this machine; built only when its sources changed since last time.

    Raises BuildFailed and LayerFailed.
    """
    out = root / ".parley" / "bundle"
    with alone(out.with_suffix(".lock")):
        mark, now = out / "sources.sha256", fingerprint(root)
        made = Built(out / "sam.json", out / "deployment.zip")
        if not mark.exists() or mark.read_text() != now:
            mark.unlink(missing_ok=True)
            made = build(stage=LOCAL, out=out, root=root, progress=say)
            mark.write_text(now)
        packages = root / "build" / "layers"
        below, _ = layer(root / "requirements.txt", Target(native=True), packages)
        return Bundle(made, below, root)


def fingerprint(root: Path) -> str:
    """A name for the contents of everything the bundle is made of, and for this Python."""
    name = hashlib.sha256(sys.version.encode())
    for path in files(root):
        name.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return name.hexdigest()


def files(root: Path, sources: tuple[str, ...] = _SOURCES) -> Iterator[Path]:
    """Source files, always in the same order; no bytecode."""
    for source in sources:
        found = [root / source] if (root / source).is_file() else sorted((root / source).rglob("*"))
        yield from (p for p in found if p.is_file() and "__pycache__" not in p.parts)


def _beyond(bundle: Path, below: Layer) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(below.zip) as packages:
        shared = set(packages.namelist())
    with zipfile.ZipFile(bundle) as whole, zipfile.ZipFile(buffer, "w") as code:
        for entry in whole.infolist():
            if entry.filename not in shared:
                code.writestr(entry, whole.read(entry))
    return buffer.getvalue()
