"""Things that go wrong around a gateway: a crash before or after a call, somebody in between."""

from collections.abc import Callable
from typing import Any


class Crash(BaseException):
    """The process died. No reaction catches it: it is no `Exception`."""


class Around:
    """Stands between reactions and their gateways, and counts calls.

    `before` and `after` are told (number of the call, gateway, method); what they raise, the
    reaction meets. `names` keeps what was called, in order.
    """

    def __init__(
        self,
        before: Callable[[int, str, str], None] = lambda n, gateway, method: None,
        after: Callable[[int, str, str], None] = lambda n, gateway, method: None,
    ) -> None:
        self.before, self.after = before, after
        self.names: list[str] = []

    def __call__(self, name: str, gateway: Any) -> Any:
        return _Between(self, name, gateway)


class _Between:
    def __init__(self, around: Around, name: str, gateway: Any) -> None:
        self._around, self._name, self._gateway = around, name, gateway

    def __getattr__(self, method: str) -> Any:
        called = getattr(self._gateway, method)

        def call(*args: Any, **kwargs: Any) -> Any:
            around, number = self._around, len(self._around.names)
            around.names.append(f"{self._name}.{method}")
            around.before(number, self._name, method)
            answer = called(*args, **kwargs)
            around.after(number, self._name, method)
            return answer

        return call
