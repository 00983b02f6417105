"""Whether a bundle may leave the house: small enough, and whole."""

import json
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from infra.target import Target, interpreter

LIMIT = 16_000_000  # bytes of the bundle; cold starts grow with it

IMPORTS = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for handler in sys.argv[2:]:
    module, _, name = handler.rpartition('.')
    assert callable(getattr(importlib.import_module(module), name)), handler
"""


class BuildFailed(RuntimeError):
    """The project cannot become a bundle; the message says why and names the file."""


def check(bundle: Path, names: list[str], target: Target) -> None:
    """Refuse a bundle that is too large, or that cannot import a handler. Raises BuildFailed.

    A bundle for another architecture cannot be imported here; it is only weighed.
    """
    if (size := bundle.stat().st_size) > LIMIT:
        raise BuildFailed(f"{bundle.name} is {size:,} bytes; the limit is {LIMIT:,}")
    if target.runs_here:
        check_imports(bundle, names, interpreter(target.python))


def handlers(sam: Path) -> list[str]:
    """Every handler that the template names, such as `chalicelib.functions.triage.triage`."""
    resources: dict[str, Any] = json.loads(sam.read_text("utf-8"))["Resources"]
    functions = (r for r in resources.values() if r["Type"] == "AWS::Serverless::Function")
    return sorted(function["Properties"]["Handler"] for function in functions)


def check_imports(bundle: Path, names: list[str], python: str) -> None:
    """Import every handler from the unpacked archive, with nothing else on the path."""
    with tempfile.TemporaryDirectory() as task:
        with zipfile.ZipFile(bundle) as packed:
            packed.extractall(task)
        run = subprocess.run(
            [python, "-I", "-S", "-c", IMPORTS, task, *names],
            capture_output=True,
            text=True,
            env=os.environ | {"LAMBDA_TASK_ROOT": task, "AWS_DEFAULT_REGION": "us-east-1"},
        )
    if run.returncode:
        raise BuildFailed(f"the bundle cannot import its handlers:\n{run.stderr.strip()}")
