"""A desk: where a human hears of a case."""

from typing import ClassVar

from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Notice, Outcome, Resend, Response, judge


class Desk:
    """How a desk is told. One that also speaks back is a `Source` too."""

    name: ClassVar[str]
    resend: ClassVar[Resend] = "never"

    def tell(self, notice: Notice, credentials: Credentials) -> Call:
        """The call that puts `notice` before a person."""
        raise Unsupported(f"{self.name} takes no notices")

    def outcome(self, response: Response) -> Outcome:
        """What the desk's answer means."""
        return judge(response)
