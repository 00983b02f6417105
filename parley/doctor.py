"""`parley doctor`: whether this machine can run the hub, and what to do where it cannot."""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from parley import venv
from parley.places import REQUIREMENTS_AWS, ROOT, SECRETS, VENV_AWS, home
from parley.screen import Unready, emit, out
from parley.stage import running

_OLDEST, _NEWEST = (3, 11), (3, 13)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `next` is a command that helps; empty where nothing is needed."""

    about: str
    well: bool
    said: str
    next: str = ""


def doctor(
    port: Annotated[int, typer.Option(help="Where webhooks would be taken.")] = 8000,
    aws_port: Annotated[int, typer.Option(help="Where the embedded AWS would answer.")] = 4566,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per finding.")] = False,
) -> None:
    """Look at Python, environments, ports and the embedded AWS. Docker is not needed.

    Example: parley doctor --port 8080
    """
    looks: tuple[Callable[[], Finding], ...] = (
        _python,
        _packages,
        _emulator,
        _secrets,
        _hub,
        lambda: _port(port, "--port"),
        lambda: _port(aws_port, "--aws-port"),
    )
    found = [look() for look in looks]
    for each in found:
        emit(asdict(each)) if as_json else _print(each)
    ill = [each for each in found if not each.well]
    if ill:
        raise Unready(f"{len(ill)} of {len(found)} need something", ill[0].next)
    if not as_json:
        out.print("all is well; next: [bold]parley demo[/] or [bold]parley serve[/]")


def _print(finding: Finding) -> None:
    mark = "[green]✓[/]" if finding.well else "[red]✗[/]"
    hint = f"  next: [bold]{finding.next}[/]" if finding.next and not finding.well else ""
    out.print(f"{mark} {finding.about:<12} {finding.said}{hint}")


def _python() -> Finding:
    version = sys.version_info[:2]
    well = _OLDEST <= version <= _NEWEST
    return Finding("Python", well, sys.version.split()[0], "make install PYTHON=python3.12")


def _packages() -> Finding:
    missing = [name for name in ("chalice", "boto3", "pip") if not importlib.util.find_spec(name)]
    said = f"missing: {', '.join(missing)}" if missing else f"in {sys.prefix}"
    return Finding("packages", not missing, said, "make install")


def _emulator() -> Finding:
    if not venv.is_ready(VENV_AWS, REQUIREMENTS_AWS):
        return Finding("embedded AWS", True, "will be installed by the first demo or serve")
    python = str(venv.python_of(VENV_AWS))
    code = "import ministack, samtranslator, importlib.metadata as m; print(m.version('ministack'))"
    done = subprocess.run([python, "-E", "-c", code], capture_output=True, text=True, check=False)
    remedy = f"rm -r {VENV_AWS.relative_to(ROOT)}"
    if done.returncode:
        return Finding("embedded AWS", False, done.stderr.strip().rpartition("\n")[2], remedy)
    return Finding("embedded AWS", True, f"MiniStack {done.stdout.strip()}, no Docker needed")


def _secrets() -> Finding:
    said = str(SECRETS.relative_to(ROOT))
    return Finding("secrets", SECRETS.exists(), said, f"git checkout {said}")


def _hub() -> Finding:
    try:
        return Finding("hub", True, f"runs at {running()['url']}")
    except Unready:
        return Finding("hub", True, f"does not run; its files are in {home()}")


def _port(port: int, option: str) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    if taken and _is_ours(port):
        return Finding(f"port {port}", True, "taken by the running hub")
    said = "taken by another program" if taken else "free"
    return Finding(f"port {port}", not taken, said, f"parley serve {option} {port + 1}")


def _is_ours(port: int) -> bool:
    try:
        hub = running()
    except Unready:
        return False
    return any(str(hub[name]).endswith(f":{port}") for name in ("url", "aws"))
