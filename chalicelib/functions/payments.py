"""Money is re-read before it moves anything: a claim becomes the provider's own verified word."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import sources, wiring
from chalicelib.channels._channel import Channel
from chalicelib.errors import Unavailable
from chalicelib.events import Event
from chalicelib.functions._ports import Http, Keys
from chalicelib.functions._shell import Patterns, of, run

bp = Blueprint(__name__)
_TYPES = (
    "payment.authorized payment.captured payment.failed payment.refunded payment.disputed"
    " payment.dispute_closed"
)


@dataclass(frozen=True)
class Payments:
    """The same fact again with `assurance: verified`, or an error until the provider agrees."""

    http: Http
    keys: Keys
    channel: Callable[[str], Channel] = sources.channel
    consumes: ClassVar[Patterns] = of(_TYPES, {"assurance": ["claimed"]})
    emits: ClassVar[Patterns] = of(_TYPES, {"assurance": ["verified"]})

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        claimed = event.data
        if not isinstance(claimed, p.Payment) or claimed.assurance != "claimed":
            return
        channel = self.channel(claimed.channel)
        credentials = self.keys.of(claimed.channel).of(claimed.account)
        asked = replace(event, recordedtime=now)  # a call that is signed with a time, with ours
        response = self.http.send(channel.reread(asked, credentials), event.id)
        verified = channel.reread_payment(event, response)
        if verified is None:
            raise Unavailable(f"{claimed.channel} does not confirm the payment yet")
        yield event.causes(event.type, verified, event.subject, now=now, discriminator="verified")


@bp.lambda_function(name="payments")
def payments(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the payments queue."""
    return run(Payments(wiring.http(), wiring.send_secrets()), batch, context)
