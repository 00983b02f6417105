"""Starts Lambda workers in a tenth of a second: forks them from one process that has imported
the layer's packages once. Executed by the emulator's interpreter, with the layer on its path.

A worker still imports all of our own code itself, in a process of its own, as on AWS.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

PACKAGES = (
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.data_classes.sqs_event",
    "boto3.dynamodb.types",
    "botocore.session",
    "botocore.retries.standard",
    "defusedxml.ElementTree",
    "pydantic",
    "urllib3",
    "zoneinfo",
)


def serve(address: str) -> None:
    """Fork a worker for everybody who connects, until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        _preload()
        while sys.stdin not in select.select([door, sys.stdin], (), ())[0]:
            caller, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _become_worker(caller)
            caller.close()


def _preload() -> None:
    for package in PACKAGES:
        with suppress(ImportError):  # what the project no longer ships
            importlib.import_module(package)
    with suppress(Exception):  # whatever making a client imports, and no network
        session = importlib.import_module("botocore.session").get_session()
        session.set_credentials("none", "none")
        session.create_client("events", region_name="us-east-1")
    gc.collect()
    gc.freeze()


def _become_worker(caller: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, descriptors, _, _ = socket.recv_fds(caller, 1 << 20, 3)
    while not text.endswith(b"\n"):
        text += caller.recv(1 << 20)
    asked = json.loads(text)
    for standard, given in enumerate(descriptors):
        os.dup2(given, standard)
        os.close(given)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    threading.Thread(target=_end_with, args=(caller,), daemon=True).start()
    sys.argv = [asked["script"]]
    sys.path.insert(0, str(Path(asked["script"]).parent))
    runpy.run_path(asked["script"], run_name="__main__")
    os._exit(0)


def _end_with(caller: socket.socket) -> None:
    caller.recv(1)
    os._exit(143)


if __name__ == "__main__":
    serve(sys.argv[1])
