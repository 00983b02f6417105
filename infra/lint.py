"""Whether CloudFormation would take what we make, for every Python and architecture.

`python -m infra.lint` packages with each Lambda Python that is installed here, then runs cfn-lint
over the SAM and over what AWS will make of it.
"""

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

from infra.build import ROOT, package_template, packaging_path
from infra.target import CURRENT, Arch, Target, installed
from parley import venv
from parley.places import REQUIREMENTS_AWS, VENV_AWS

PYTHONS = ["3.12", "3.13"]  # what we tell people to deploy with
ARCHITECTURES: tuple[Arch, ...] = get_args(Arch)


def targets() -> list[Target]:
    """Every runtime this machine can package for; its own Python where it has none of PYTHONS."""
    pythons = installed(PYTHONS) or [CURRENT]
    return [Target(*pair) for pair in itertools.product(pythons, ARCHITECTURES)]


def templates(folder: Path) -> Iterator[Path]:
    """Write the SAM of every target, and its expansion, into `folder`."""
    expander = venv.ensure(VENV_AWS, REQUIREMENTS_AWS)
    for target in targets():
        sam, expanded = (folder / f"{target.name}.{kind}.json" for kind in ("sam", "cfn"))
        path = packaging_path(ROOT, target.python)
        package_template(sam, stage="dev", target=target, root=ROOT, path=path)
        expand = [str(expander), str(ROOT / "infra" / "expand.py"), str(sam), str(expanded)]
        subprocess.run(expand, check=True)
        yield from (sam, expanded)


def lint(template: Path) -> tuple[str, str]:
    """The template's name, and what cfn-lint has against it: nothing when all is well."""
    linter = str(Path(sys.executable).with_name("cfn-lint"))
    run = subprocess.run([linter, "--", str(template)], capture_output=True, text=True)
    return template.name, (run.stdout + run.stderr).strip() if run.returncode else ""


def main() -> int:
    """Print one line per template; 0 when every one is clean."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lint, templates(Path(folder))))
    for name, complaints in results:
        sys.stdout.write(f"{'✗' if complaints else '✓'} {name}\n")
        if complaints:
            sys.stdout.write(f"{complaints}\n")
    return int(any(complaints for _, complaints in results))


if __name__ == "__main__":
    sys.exit(main())
