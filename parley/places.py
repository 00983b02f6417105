"""Where things lie in a checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".parley"
"""What is made once for every hub of this checkout. Safe to delete."""
EVENTS = ROOT / "events"
SECRETS = EVENTS / "secrets.json"
SETTINGS = EVENTS / "settings.json"
ANSWERS = EVENTS / "answers.json"
REQUIREMENTS_AWS = ROOT / "requirements-aws.txt"
VENV_AWS = ROOT / ".venv-aws"


def home() -> Path:
    """Where `parley serve` keeps its log and outbox, and the other commands look for them.

    `.parley`, or what PARLEY_HOME says.
    """
    return Path(os.environ.get("PARLEY_HOME") or CACHE)
