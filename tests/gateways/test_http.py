"""The way out: https alone, no redirect followed, and an honest word on how a call ended."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from chalicelib.errors import NotSent, TimedOut, Unsupported
from chalicelib.gateways.http import Http
from chalicelib.outbound import Call

URL = "https://api.line.me/v2/bot/message/push?a=1"


class Platform(BaseHTTPRequestHandler):
    """Keeps what it hears; the path says how it behaves."""

    heard: list[tuple[str, str, dict[str, str], bytes]]
    release: threading.Event

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        names = {name.lower(): value for name, value in self.headers.items()}
        self.heard.append((self.command, self.path, names, body))
        if "/slow" in self.path:
            self.release.wait(5)
        if "/hangs-up" in self.path:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(302 if "/moved" in self.path else 429)
        self.send_header("Location", "/elsewhere")
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_PUT = do_POST

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    Platform.heard, Platform.release = [], threading.Event()
    found = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    Platform.release.set()
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def heard(server: ThreadingHTTPServer) -> list[Any]:
    Platform.heard.clear()
    return Platform.heard


@pytest.fixture
def http(server: ThreadingHTTPServer) -> Http:
    quick = urllib3.Timeout(connect=1, read=0.2)
    return Http(f"http://127.0.0.1:{server.server_port}/out/", quick)


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_with_a_base_the_platforms_host_is_in_the_path(http: Http, heard: list[Any]) -> None:
    answer = http.send(Call("POST", URL, {"authorization": "Bearer t"}, b'{"a":1}'), "CAUSE")
    [(method, path, headers, body)] = heard
    assert (method, path, body) == ("POST", "/out/api.line.me/v2/bot/message/push?a=1", b'{"a":1}')
    assert headers["authorization"] == "Bearer t" and headers["x-parley-cause"] == "CAUSE"
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (429, b"{}", "7")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_call_has_the_method_it_was_given(http: Http, heard: list[Any], method: str) -> None:
    http.send(Call(method, URL))
    assert [h[0] for h in heard] == [method]


def test_a_redirect_is_an_answer_and_is_not_followed(http: Http, heard: list[Any]) -> None:
    answer = http.send(Call("POST", "https://api.line.me/moved"))
    assert answer.status == 302 and len(heard) == 1


def test_a_call_that_nobody_answers_in_time_may_have_been_made(
    http: Http, heard: list[Any]
) -> None:
    with pytest.raises(TimedOut):
        http.send(Call("POST", "https://api.line.me/slow"))
    assert len(heard) == 1, "and is not made again"


def test_a_connection_that_breaks_after_the_call_may_have_been_made(
    http: Http, heard: list[Any]
) -> None:
    with pytest.raises(TimedOut):
        http.send(Call("POST", "https://api.line.me/hangs-up"))
    assert len(heard) == 1


@pytest.mark.parametrize("base", ["", "http://127.0.0.1:{port}"])
def test_a_connection_refused_never_left(base: str) -> None:
    port = closed_port()
    with pytest.raises(NotSent):
        Http(base.format(port=port)).send(Call("POST", f"https://127.0.0.1:{port}/x"))


@pytest.mark.parametrize("base", ["", "http://127.0.0.1:1"])
@pytest.mark.parametrize(
    "url", ["http://api.line.me/x", "ftp://h/x", "//api.line.me/x", "file:///etc/x", "https://", ""]
)
def test_only_https_leaves_the_hub(base: str, url: str) -> None:
    with pytest.raises(Unsupported):
        Http(base).send(Call("POST", url))


def test_without_a_base_no_cause_is_told(server: ThreadingHTTPServer, heard: list[Any]) -> None:
    """Tls is not spoken here, so that the call is seen to go to the platform itself, and fails."""
    with pytest.raises(TimedOut):
        Http().send(Call("POST", f"https://127.0.0.1:{server.server_port}/x"), "CAUSE")
    assert heard == []


def test_no_header_or_body_is_in_what_is_raised(http: Http) -> None:
    with pytest.raises(TimedOut) as caught:
        http.send(Call("POST", "https://api.line.me/hangs-up", {"authorization": "TOKEN"}, b"TEXT"))
    assert "TOKEN" not in str(caught.value) and "TEXT" not in str(caught.value)
