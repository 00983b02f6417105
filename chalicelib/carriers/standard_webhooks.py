"""A shipper without an API: asked by a signed Standard Webhook. https://www.standardwebhooks.com"""

from dataclasses import replace

from chalicelib import webhook
from chalicelib.carriers._carrier import Carrier
from chalicelib.credentials import Credentials
from chalicelib.outbound import Call, Outcome, Response, Shipment


class StandardWebhooks(Carrier):
    """Anything may be asked; the shipper answers with facts at `/webhooks/standard_webhooks`."""

    name = "standard_webhooks"
    actions = frozenset(["ship", "hold", "readdress", "return", "claim"])
    resend = "keyed"

    def ask(self, shipment: Shipment, credentials: Credentials) -> Call:
        """`shipment.requested` to the account's `url`; `webhook-id` is the shipment's key."""
        told = {
            "action": shipment.action,
            "shop": shipment.shop,
            "order_id": shipment.order_id,
            "order_number": shipment.order_number,
            "ship_to": shipment.ship_to,
            "carrier": shipment.carrier,
            "tracking_number": shipment.tracking_number,
        }
        data = {key: value for key, value in told.items() if value is not None}
        return webhook.signed(credentials, shipment.key, shipment.at, "shipment.requested", data)

    def outcome(self, response: Response) -> Outcome:
        """`message_id` is the tracking number, else the id, that the shipper's answer names."""
        outcome, said = webhook.answered(response), response.json
        known = said.get("tracking_number") or said.get("id")
        if outcome.verdict != "sent" or not isinstance(known, str):
            return outcome
        return replace(outcome, message_id=known)


carrier = StandardWebhooks()
