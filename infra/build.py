"""The artefact: what Chalice packages, merged with hub.yaml, and one zip, the same each time.

`python -m infra.build --stage dev` writes `build/dev/sam.json` and `build/dev/deployment.zip`.
"""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from infra import archive, template
from infra.check import BuildFailed as BuildFailed
from infra.check import check, handlers
from infra.layer import Layer, layer
from infra.target import CURRENT, HOST, Arch, Target, interpreter

ROOT = Path(__file__).resolve().parent.parent
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Built:
    """`sam` is the template as JSON; its CodeUri names `bundle`, the zip beside it."""

    sam: Path
    bundle: Path


def build(
    *,
    stage: str,
    out: Path,
    python: str = CURRENT,
    arch: Arch = HOST,
    progress: Progress | None = None,
    root: Path = ROOT,
) -> Built:
    """Build `root` for one stage and runtime into `out`.

    Raises BuildFailed, LayerFailed (pip) and NoInterpreter (no such Python here). Stage `local`
    takes wheels for this machine; every other stage takes those that Lambda runs.
    """
    say = progress or (lambda _: None)
    target = Target(python, arch, native=stage == "local")
    out.mkdir(parents=True, exist_ok=True)
    say(f"dependencies for Python {python} on {arch}")
    made = dependencies(root, target)
    built = Built(out / "sam.json", out / "deployment.zip")
    say("template")
    path = packaging_path(root, python)
    package_template(built.sam, stage=stage, target=target, root=root, path=path)
    say("bundle")
    bundle(made, built.bundle, target, root)
    check(built.bundle, handlers(built.sam), target)
    return built


def code_zip(
    out: Path,
    *,
    stage: str = "local",
    python: str = CURRENT,
    arch: Arch = HOST,
    root: Path = ROOT,
) -> Path:
    """Only the bundle, for code that changed under a running hub: the layer is taken from before.

    Returns `out`, replaced whole. Raises LayerFailed and NoInterpreter where build() does.
    """
    target = Target(python, arch, native=stage == "local")
    out.parent.mkdir(parents=True, exist_ok=True)
    bundle(dependencies(root, target), out, target, root)
    return out


def dependencies(root: Path, target: Target) -> Layer:
    """What `root`'s requirements.txt asks for, from the cache in `build/layers` when it can."""
    return layer(root / "requirements.txt", target, root / "build" / "layers")[0]


def packaging_path(root: Path, python: str) -> list[Path]:
    """What another Python needs on its path to load app.py: the dependencies, and our Chalice.

    Chalice is pure Python, so one copy of it serves every interpreter. Empty for this Python.
    """
    if python == CURRENT:
        return []
    packages = [Path(entry) for entry in sys.path if entry.endswith("site-packages")]
    return [dependencies(root, Target(python, native=True)).folder, ROOT, *packages]


def package_template(
    sam: Path, *, stage: str, target: Target, root: Path, path: list[Path]
) -> None:
    """Write the merged SAM template to `sam`; `path` is packaging_path()'s."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        _stage_project(root, work / "project")
        merge = work / "merge.json"
        merge.write_text(json.dumps(template.merged(stage)), "utf-8")
        arguments = [work / "project", stage, target.arch, merge, work / "out"]
        _package([str(argument) for argument in arguments], target, path)
        packaged = json.loads((work / "out" / "sam.json").read_text("utf-8"))
    sam.write_text(json.dumps(packaged, indent=1, sort_keys=True) + "\n", "utf-8")


def _stage_project(root: Path, project: Path) -> None:
    """A copy with no requirements: Chalice packages the code, the layer brings the rest."""
    skip = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    project.mkdir()
    shutil.copy(root / "app.py", project)
    (project / "requirements.txt").touch()
    for folder in ("chalicelib", ".chalice"):
        shutil.copytree(root / folder, project / folder, ignore=skip)


def _package(arguments: list[str], target: Target, path: list[Path]) -> None:
    run = subprocess.run(
        [interpreter(target.python), "-m", "infra.package", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | (_borrowed(path) if path else {}),
    )
    if run.returncode:
        raise BuildFailed(f"chalice package failed:\n{run.stderr.strip()}")


def _borrowed(path: list[Path]) -> dict[str, str]:
    """Chalice asks botocore for a service that the pruned dependencies do not know."""
    models = _folder("botocore") / "data"
    return {"PYTHONPATH": os.pathsep.join(map(str, path)), "AWS_DATA_PATH": str(models)}


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    return Path(cast(str, found and found.origin)).parent


def bundle(made: Layer, out: Path, target: Target, root: Path = ROOT) -> None:
    """Write the zip: the layer as it is, then the code with its bytecode."""
    with tempfile.TemporaryDirectory() as scratch:
        code = Path(scratch)
        for name, source in _code(root):
            (code / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, code / name)
        archive.compile_tree(code, target.python)
        archive.write(out, archive.tree(code), after=made.zip)


def _code(root: Path) -> Iterator[tuple[str, Path]]:
    yield "app.py", root / "app.py"
    for name, path in archive.tree(root / "chalicelib", "chalicelib/"):
        if "__pycache__" not in name:
            yield name, path
    for name in ("__init__.py", "app.py"):
        yield f"chalice/{name}", _folder("chalice") / name


def main(arguments: list[str] | None = None) -> None:
    """`python -m infra.build --stage dev`; prints what was made and how large it is."""
    parser = argparse.ArgumentParser(prog="python -m infra.build", description=__doc__)
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--out", type=Path, help="default: build/STAGE")
    parser.add_argument("--python", default=CURRENT)
    parser.add_argument("--arch", default=HOST, choices=get_args(Arch))
    asked = parser.parse_args(arguments)
    out = asked.out or ROOT / "build" / asked.stage
    built = build(stage=asked.stage, out=out, python=asked.python, arch=asked.arch, progress=_print)
    for path in (built.sam, built.bundle):
        _print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
