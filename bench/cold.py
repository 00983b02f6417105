"""Cold imports of the bundle, beside their floor, in one run: `python -m bench.cold`.

Every figure is a fresh process (`python -S`, bytecode as shipped) that imports one handler from the
unpacked bundle. The floor is what any Chalice webhook on EventBridge pays: chalice, Powertools'
Logger and an `events` client. CPU time, in turns, so that a busy machine changes little.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from infra.build import ROOT, build

BUDGET = 1.5
"""The webhook function may cost this many times its floor (DESIGN, budgets)."""
_CLIENT = "import botocore.session as s; s.get_session().create_client('events')"
FLOOR = f"import chalice.app; from aws_lambda_powertools import Logger; Logger('x'); {_CLIENT}"
REACTIONS = ("triage", "orders", "replies", "sender", "escalations", "profiles", "journal", "sweep")
_TIMED = "import time; t = time.process_time()\n{work}\nprint((time.process_time() - t) * 1000)"
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_LAMBDA_FUNCTION_NAME": "cold",
    "PARLEY_STAGE": "bench",
}


def works() -> dict[str, str]:
    """What is imported, by name."""
    handlers = {name: f"import chalicelib.functions.{name}" for name in REACTIONS}
    return {"nothing": "", "floor": FLOOR, "api (webhook)": "import app", **handlers}


def measure(bundle: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of CPU of every round, by name."""
    times: dict[str, list[float]] = {name: [] for name in works()}
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(bundle).extractall(folder)
        for _ in track(range(rounds), description="cold imports"):
            for name, work in works().items():
                times[name].append(once(Path(folder), work))
    return times


def once(folder: Path, work: str) -> float:
    """One fresh process."""
    environment = {**_ENVIRONMENT, "PYTHONPATH": str(folder), "LAMBDA_TASK_ROOT": str(folder)}
    run = subprocess.run(
        [sys.executable, "-S", "-c", _TIMED.format(work=work)],
        capture_output=True, text=True, check=True, cwd=folder, env=environment,
    )  # fmt: skip
    return float(run.stdout.split()[-1])


def table(times: dict[str, list[float]], bundle: Path) -> Table:
    """Medians and minima, and how many floors each one is."""
    floor = statistics.median(times["floor"])
    size = f"{bundle.stat().st_size / 1e6:.2f} MB"
    shown = Table("import", "median ms", "min ms", "x floor", title=f"bundle {size}")
    for name, each in times.items():
        median = statistics.median(each)
        shown.add_row(name, f"{median:.0f}", f"{min(each):.0f}", f"{median / floor:.2f}")
    return shown


def main() -> int:
    """Exit 1 when the webhook function is over its budget."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    bundle = build(stage="local", out=ROOT / "build" / "bench").bundle
    times = measure(bundle, rounds)
    Console().print(table(times, bundle))
    ratio = statistics.median(times["api (webhook)"]) / statistics.median(times["floor"])
    return int(ratio > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
