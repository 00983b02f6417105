"""A desk of one's own: told by a signed Standard Webhook. https://www.standardwebhooks.com"""

from chalicelib import webhook
from chalicelib.credentials import Credentials
from chalicelib.desks._desk import Desk
from chalicelib.events import iso
from chalicelib.outbound import Call, Notice, Outcome, Response


class StandardWebhooks(Desk):
    name = "standard_webhooks"
    resend = "keyed"

    def tell(self, notice: Notice, credentials: Credentials) -> Call:
        """`case.opened` (or what the notice is of) to the account's `url`; id is the key."""
        data = {
            "case_id": notice.case_id,
            "title": notice.title,
            "severity": notice.severity,
            "about": list(notice.about),
            "customer": notice.customer,
            "facts": dict(notice.facts),
        }
        if notice.due_at:
            data["due_at"] = iso(notice.due_at)
        return webhook.signed(credentials, notice.key, notice.at, notice.event, data)

    def outcome(self, response: Response) -> Outcome:
        return webhook.answered(response)


desk = StandardWebhooks()
