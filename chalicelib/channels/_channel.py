"""A channel: a place where customers write, and may be answered."""

from datetime import timedelta
from typing import ClassVar

from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Call, Means, Outcome, Outgoing, Resend, Response, judge
from chalicelib.payloads import Payment
from chalicelib.source import Answer, Request, Source


class Channel(Source):
    """What a platform's messaging allows is declared; `compose` describes, nobody here sends."""

    means: ClassVar[tuple[Means, ...]] = ()
    """Ways to answer, the preferred first; none for a channel that only speaks."""
    window: ClassVar[timedelta | None] = None
    """How long after the customer's last message free text may be sent; None: any time."""
    resend: ClassVar[Resend] = "never"
    text_limit: ClassVar[int] = 2000
    in_response: ClassVar[timedelta | None] = None
    """Where the answer travels in the HTTP response: the platform's deadline for it."""

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """Say `message` in the platform's words; Unsupported for what it cannot carry."""
        raise Unsupported(f"{self.name} takes no messages")

    def outcome(self, response: Response) -> Outcome:
        """What the platform's answer to a composed call means."""
        return judge(response)

    def answer_with(self, text: str, request: Request, credentials: Credentials) -> Answer:
        """The HTTP response that carries `text` to the customer (`in_response` channels)."""
        raise Unsupported(f"{self.name} takes no answer inside the response")

    def reread(self, event: Event, credentials: Credentials) -> Call:
        """Ask the platform for the payment it spoke of, before money moves on it."""
        raise Unsupported(f"{self.name} has no payments")

    def reread_payment(self, event: Event, response: Response) -> Payment | None:
        """The payment as the platform's own API states it, `assurance: verified`; None if not."""
        raise Unsupported(f"{self.name} has no payments")
