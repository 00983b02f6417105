"""The dependencies of the bundle: installed, pruned, compiled and zipped once, then kept.

A layer is named by all that can change it, so an edit to the code never builds one again.
"""

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra import archive
from infra.target import Target

SERVICES = frozenset({"events", "sqs", "dynamodb", "s3", "secretsmanager", "ssm", "sts"})
USELESS_SUFFIXES = frozenset({".pyi", ".pyc", ".exe"})
USELESS_FOLDERS = frozenset({"__pycache__", "tests", "examples", "bin"})
RECIPE = 2  # part of a layer's name; raise it when what is pruned or compiled changes
NAME = re.compile(r"^[A-Za-z0-9._-]+(?===)", re.MULTILINE)


class LayerFailed(RuntimeError):
    """pip could not install what ships, or something it brings is not pinned."""


@dataclass(frozen=True)
class Layer:
    """`folder` is what runs; `zip` is the same, ready to be the first part of a bundle."""

    folder: Path
    zip: Path


def layer(requirements: Path, target: Target, cache: Path) -> tuple[Layer, bool]:
    """The layer for `target`, and whether it had to be built. Raises LayerFailed, NoInterpreter."""
    home = cache / f"{target.name}-{_key(requirements)}"
    made = Layer(home / "python", home / "layer.zip")
    if made.zip.exists():
        return made, False
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        _make(requirements, target, Path(scratch) / "made")
        if not home.exists():  # unless another process was faster
            (Path(scratch) / "made").rename(home)
    return made, True


def _key(requirements: Path) -> str:
    said = requirements.read_bytes() + f"{RECIPE} {sorted(SERVICES)}".encode()
    return hashlib.sha256(said).hexdigest()[:12]


def _make(requirements: Path, target: Target, home: Path) -> None:
    folder = home / "python"
    _install(requirements, target, folder)
    _check_pins(requirements, folder)
    prune(folder)
    _check_architecture(folder, target)
    archive.compile_tree(folder, target.python)
    archive.write(home / "layer.zip", archive.tree(folder))


def _install(requirements: Path, target: Target, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-compile", "--only-binary=:all:", "--target", str(folder)]
    command += ["--python-version", target.python, "--implementation", "cp"]
    command += [f"--platform={platform}" for platform in target.platforms]
    environment = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    run = subprocess.run(
        [*command, "-r", str(requirements)], capture_output=True, text=True, env=environment
    )
    if run.returncode:
        raise LayerFailed(f"pip could not install {requirements.name}:\n{run.stderr.strip()}")


def _check_pins(requirements: Path, folder: Path) -> None:
    pinned = {_canonical(name) for name in NAME.findall(requirements.read_text("utf-8"))}
    found = importlib.metadata.distributions(path=[str(folder)])
    if loose := sorted({_canonical(dist.metadata["Name"]) for dist in found} - pinned):
        raise LayerFailed(f"pin what else ships in {requirements.name}: {', '.join(loose)}")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def prune(folder: Path) -> None:
    """Drop what nothing in the bundle reads: other services' models, metadata, tests, stubs."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and _is_useless_folder(path, folder):
            shutil.rmtree(path)
        elif path.suffix in USELESS_SUFFIXES or path.name.startswith("examples-1.json"):
            path.unlink(missing_ok=True)


def _is_useless_folder(path: Path, folder: Path) -> bool:
    if path.parent == folder / "botocore" / "data":
        return path.name not in SERVICES
    return path.name in USELESS_FOLDERS or path.suffix == ".dist-info"


def _check_architecture(folder: Path, target: Target) -> None:
    others = {"aarch64": "x86_64", "x86_64": "aarch64"}[target.machine]
    if wrong := [path.name for path in folder.rglob(f"*{others}*.so")]:
        raise LayerFailed(f"built for another architecture than {target.arch}: {wrong}")
