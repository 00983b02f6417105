"""Small HTTP servers on the loopback interface: the proxy and the recorder stand on this."""

import errno
import socket
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import Any

from parley.screen import Unready

_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
_OWN = _HOP | {"upgrade", "content-length", "expect"}


@dataclass(frozen=True)
class Received:
    """One request as it came: `target` is path and query, undecoded; headers keep their order."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The last value of a header, or nothing."""
        found = [value for key, value in self.headers if key.lower() == name]
        return found[-1] if found else ""


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Loopback(ThreadingMixIn, TCPServer):
    """Serves `reply(received)` on 127.0.0.1, a thread per connection; port 0 takes a free one."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int = 0) -> None:
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise _taken(port, error) from error
        self.port: int = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def reply(self, received: Received) -> Reply:
        """What to answer; runs in the connection's thread."""
        raise NotImplementedError

    def start(self) -> None:
        """Serve in the background until `stop`."""
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no news."""


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_free(port: int) -> None:
    """Unready when somebody listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _taken(port, error) from error


def _taken(port: int, error: OSError) -> Unready:
    if error.errno == errno.EADDRINUSE:
        return Unready(f"port {port} is taken by another program", "parley doctor")
    return Unready(f"port {port}: {error.strerror}", "parley doctor")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Loopback

    def serve(self) -> None:
        headers = tuple((k, v) for k, v in self.headers.items() if k.lower() not in _OWN)
        received = Received(self.command, self.path, headers, self._body())
        self._answer(self.server.reply(received))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve

    def _answer(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            if name.lower() not in _OWN:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().partition(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def log_message(self, format: str, *args: Any) -> None:
        """The functions log; the transport does not."""
