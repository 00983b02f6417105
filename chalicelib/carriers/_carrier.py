"""A carrier: somebody who moves parcels, or buys the moving for us."""

from typing import ClassVar

from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outcome, Resend, Response, Shipment, judge


class Carrier:
    """What a shipper can be asked. One that also posts webhooks is a `Source` too."""

    name: ClassVar[str]
    actions: ClassVar[frozenset[str]] = frozenset()
    resend: ClassVar[Resend] = "never"

    def ask(self, shipment: Shipment, credentials: Credentials) -> Call:
        """The call that asks for `shipment.action`; Unsupported where the API has none."""
        raise Unsupported(f"{self.name} cannot {shipment.action}")

    def outcome(self, response: Response) -> Outcome:
        """What the carrier's answer means."""
        return judge(response)
