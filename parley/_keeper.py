"""Runs MiniStack for as long as its parent lives. Executed by the emulator's own interpreter."""

import os
import runpy
import signal
import sys
import threading
import time


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True).start()
sys.argv = ["ministack"]
sys.executable = os.environ.get("PARLEY_PYTHON", sys.executable)  # what it starts workers with
runpy.run_module("ministack", run_name="__main__")
