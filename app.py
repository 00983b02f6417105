"""Parley's front door. Wiring only: routes here, reactions in `chalicelib/functions`."""

import os
from importlib import import_module

from chalice.app import Chalice

from chalicelib.functions import api

REACTIONS = (
    "intake", "triage", "payments", "orders", "shippers", "escalations", "replies", "sender",
    "profiles", "journal", "sweep",
)  # fmt: skip

app = Chalice(app_name="parley", configure_logs=False)
app.register_blueprint(api.bp)

# In a Lambda only the api imports this file, and it serves routes: the reactions (each a Lambda
# of its own, with its own handler) would cost it half its cold start. Packaging sees them all.
if "LAMBDA_TASK_ROOT" not in os.environ:
    for name in REACTIONS:
        app.register_blueprint(import_module(f"chalicelib.functions.{name}").bp)
