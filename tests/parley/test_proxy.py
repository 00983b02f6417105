"""What goes in at the hub's address comes out at API Gateway, byte for byte."""

import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from parley.loopback import Loopback, Received, Reply, free_port
from parley.proxy import Proxy
from parley.screen import Unready
from tests.parley.conftest import Platform

EVERY_BYTE = bytes(range(256))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = Proxy(lanes=2)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def opened(proxy: Proxy, platform: Platform) -> Proxy:
    proxy.open(f"{platform.url}/restapis/abc/api/_user_request_")
    return proxy


def test_until_it_is_opened_everything_is_503(proxy: Proxy, http: urllib3.PoolManager) -> None:
    answer = http.request("GET", f"{proxy.url}/health")

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_any_method_goes_through(
    opened: Proxy, platform: Platform, http: urllib3.PoolManager, method: str
) -> None:
    answer = http.request(method, f"{opened.url}/webhooks/line?a=%E2%82%AC&a=2&b=x+y%2Fz")

    assert (answer.status, answer.headers["x-seen"]) == (200, "yes")
    assert answer.data == (b"" if method == "HEAD" else b"thanks")
    [received] = platform.received
    assert received.method == method
    path = "/restapis/abc/api/_user_request_/webhooks/line?a=%E2%82%AC&a=2&b=x+y%2Fz"
    assert received.target == path


@pytest.mark.parametrize("size", [0, 1, 256, 3_000_000])
def test_bodies_keep_every_byte(
    opened: Proxy, platform: Platform, http: urllib3.PoolManager, size: int
) -> None:
    body = (EVERY_BYTE * (size // 256 + 1))[:size]

    http.request("POST", f"{opened.url}/webhooks/line", body=body)

    assert platform.received[0].body == body


def test_a_body_in_chunks_is_the_same_body(opened: Proxy, platform: Platform) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", opened.port)
    headers = {"Transfer-Encoding": "chunked"}
    chunks = iter([b"one", EVERY_BYTE])
    connection.request("POST", "/", body=chunks, headers=headers, encode_chunked=True)

    assert connection.getresponse().read() == b"thanks"
    connection.close()
    assert platform.received[0].body == b"one" + EVERY_BYTE


def test_a_header_given_twice_arrives_twice(opened: Proxy, platform: Platform) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", opened.port)
    connection.putrequest("POST", "/", skip_accept_encoding=True)
    for value in ("one", "two"):
        connection.putheader("X-Line-Signature", value)
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    connection.getresponse().read()
    connection.close()

    found = [v for name, v in platform.received[0].headers if name == "X-Line-Signature"]
    assert found == ["one", "two"]


def test_the_answer_is_passed_on_as_it_is(
    opened: Proxy, platform: Platform, http: urllib3.PoolManager
) -> None:
    platform.answer = Reply(415, (("Content-Type", "application/xml"),), EVERY_BYTE)

    answer = http.request("GET", opened.url)

    assert (answer.status, answer.data) == (415, EVERY_BYTE)
    assert answer.headers["content-type"] == "application/xml"


def test_when_the_emulator_is_gone_it_says_502(proxy: Proxy, http: urllib3.PoolManager) -> None:
    proxy.open(f"http://127.0.0.1:{free_port()}/x")

    assert http.request("GET", proxy.url).status == 502


def test_only_as_many_requests_as_there_are_lanes_are_under_way(proxy: Proxy) -> None:
    class Slow(Loopback):
        under_way = most = 0
        lock = threading.Lock()

        def reply(self, received: Received) -> Reply:
            with self.lock:
                self.under_way += 1
                self.most = max(self.most, self.under_way)
            time.sleep(0.05)
            with self.lock:
                self.under_way -= 1
            return Reply()

    slow = Slow()
    slow.start()
    proxy.open(slow.url)
    with urllib3.PoolManager(maxsize=8) as http, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: http.request("GET", proxy.url).status, range(16)))
    slow.stop()

    assert answers == [200] * 16
    assert slow.most == 2


def test_a_port_in_use_is_an_error_that_helps(platform: Platform) -> None:
    with pytest.raises(Unready, match=f"port {platform.port} is taken") as refused:
        Proxy(platform.port)
    assert refused.value.next == "parley doctor"
