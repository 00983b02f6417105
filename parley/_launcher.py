"""What MiniStack takes for Python: asks the zygote for a worker, and lives as long as it does.

Executed as `python -ISE _launcher.py PYTHON SCRIPT`. Without a zygote it becomes PYTHON itself.
"""

import json
import os
import socket
import sys

python, script = sys.argv[1:]
try:
    zygote = socket.socket(socket.AF_UNIX)
    zygote.connect(os.environ["PARLEY_ZYGOTE"])
except (KeyError, OSError):
    os.execv(python, [python, script])
asked = {"script": script, "folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109
socket.send_fds(zygote, [json.dumps(asked).encode() + b"\n"], [0, 1, 2])
for descriptor in (0, 1, 2):
    os.close(descriptor)
zygote.recv(1)
