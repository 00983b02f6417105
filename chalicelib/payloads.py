"""What an event's `data` holds, type by type (EVENTS, Payloads). Producers forbid extras.

Every payload said by a platform carries `channel` and `account`. Times are aware UTC; money is a
decimal string in the currency's own units; `raw` is the provider item's own text.
"""

from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chalicelib.money import Amount

Short = Annotated[str, Field(max_length=2048)]
"""An id, a code or a name: bounded, because keys are built from it."""


Flag = Literal[True] | None
"""Said only when it is so."""


class Payload(BaseModel):
    """A part of a fact: immutable, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Opaque(BaseModel):
    """The data of a type this version does not know; kept as it came."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Identity(Payload):
    """Somebody as one channel knows them. Never a phone number or a name alone."""

    channel: Short
    scope: Short
    subject: Short
    aliases: tuple[Short, ...] = ()

    @property
    def path(self) -> str:
        """`channel/scope/subject`, percent-encoded: its place in keys and subjects."""
        return path(self.channel, self.scope, self.subject)


@lru_cache(4096)
def path(*parts: str) -> str:
    """Parts joined by `/`, each percent-encoded, so no id can break out of its place."""
    return "/".join(quote(part, safe="-._~:@") for part in parts)


class Said(Payload):
    """What every platform's fact carries."""

    channel: Short
    account: Short
    raw: str | None = None
    raw_encoding: Literal["base64"] | None = None
    dataref: str | None = None


class Unmapped(Said):
    """A verified item we have no word for, whole."""

    reason: Short
    item: Short
    synthetic: Flag = None


# -- messages ----------------------------------------------------------------------------------


class Text(Payload):
    kind: Literal["text"] = "text"
    text: str


class Media(Payload):
    kind: Literal["media"] = "media"
    media: Literal["image", "video", "audio", "file", "share"]
    url: str | None = None
    media_id: Short | None = None
    mime: Short | None = None
    bytes: int | None = None
    sha256: Short | None = None
    name: Short | None = None
    expires_at: AwareDatetime | None = None


class Location(Payload):
    kind: Literal["location"] = "location"
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: str | None = None


class Contact(Payload):
    """A card that somebody shared."""

    kind: Literal["contact"] = "contact"
    name: str | None = None
    phones: tuple[Short, ...] = ()
    emails: tuple[Short, ...] = ()


class Postback(Payload):
    kind: Literal["postback"] = "postback"
    payload: str
    title: str | None = None


class Line(Payload):
    sku: Short
    title: str | None = None
    quantity: Annotated[int, Field(ge=0, le=1_000_000)]
    price: Amount
    currency: Short


class OrderLines(Payload):
    kind: Literal["order_lines"] = "order_lines"
    catalog_id: Short | None = None
    lines: tuple[Line, ...]


class Story(Payload):
    kind: Literal["story"] = "story"
    url: str | None = None


class Sticker(Payload):
    kind: Literal["sticker"] = "sticker"
    id: Short


class UnsupportedPart(Payload):
    """A part we cannot read. Mandatory: nothing is dropped."""

    kind: Literal["unsupported"] = "unsupported"
    type: Short


Part = Annotated[
    Text | Media | Location | Contact | Postback | OrderLines | Story | Sticker | UnsupportedPart,
    Field(discriminator="kind"),
]


class Author(Payload):
    kind: Literal["customer", "business", "bot", "system"]
    identity: Identity | None = None
    display_name: str | None = None
    followers: int | None = None
    verified: bool | None = None


class ReplyToken(Payload):
    token: str
    expires_at: AwareDatetime


class PublicPost(Payload):
    post_id: Short
    permalink: str | None = None
    replies: int | None = None
    shares: int | None = None
    likes: int | None = None


class Rating(Payload):
    value: Amount | None = None
    of: int | None = None
    recommended: bool | None = None


class Message(Said):
    """message.received, echoed, edited, deleted · comment.* · mention.created · review.created."""

    message_id: Short
    conversation_id: Short
    direction: Literal["in", "out"] = "in"
    visibility: Literal["private", "public"] = "private"
    author: Author
    to: Identity | None = None
    """The customer, where it is the business that speaks (echoes)."""
    content: tuple[Part, ...] = ()
    reply_to: Short | None = None
    lang: Short | None = None
    reply_token: ReplyToken | None = None
    window_until: AwareDatetime | None = None
    public: PublicPost | None = None
    rating: Rating | None = None
    trace: Short | None = None
    """Our own outbox key, come back on an echo (Messenger `metadata`)."""
    standby: Flag = None
    """A copy for an app that does not own the thread: log it, never answer it."""
    synthetic: Flag = None
    """A dashboard's test body or our own probe: never a case, never a reply."""

    @property
    def text(self) -> str:
        """The words in it, lines joined."""
        return "\n".join(part.text for part in self.content if isinstance(part, Text))


class Status(Said):
    """message.sent, accepted, delivered, read, failed. One of `message_id` and `watermark`."""

    status: Literal["accepted", "sent", "failed", "delivered", "read", "played"]
    conversation_id: Short
    at: AwareDatetime
    message_id: Short | None = None
    watermark: AwareDatetime | None = None
    identity: Identity | None = None
    trace: Short | None = None
    error: "Failure | None" = None
    outbox: Short | None = None
    """Key of the outbox item, when the hub itself says it."""
    audience: Literal["buyer", "desk", "shipper"] | None = None
    about: Short | None = None


class Failure(Payload):
    code: Short
    title: Short | None = None
    retryable: bool = False


class Reaction(Said):
    message_id: Short
    conversation_id: Short
    author: Author
    to: Identity | None = None
    """The customer, where it is the business that reacts."""
    emoji: Short | None = None
    visibility: Literal["private", "public"] = "private"
    window_until: AwareDatetime | None = None


class Press(Said):
    """postback.received: a button, a menu, a quick reply without words."""

    message_id: Short | None = None
    conversation_id: Short
    author: Author
    payload: str
    title: str | None = None
    reply_token: ReplyToken | None = None
    window_until: AwareDatetime | None = None
    standby: Flag = None
    synthetic: Flag = None


class Referral(Said):
    """referral.received: how somebody came in."""

    conversation_id: Short
    identity: Identity | None = None
    ref: str
    source: Short
    medium: Literal["qr", "link", "ad"]
    ad_id: Short | None = None
    reply_token: ReplyToken | None = None
    window_until: AwareDatetime | None = None


class Opened(Said):
    """conversation.opened: follow, subscribe, added, joined."""

    conversation_id: Short
    identity: Identity | None = None
    reply_token: ReplyToken | None = None
    window_until: AwareDatetime | None = None
    again: bool | None = None


class Consent(Said):
    """consent.granted, consent.withdrawn."""

    identity: Identity
    purpose: Short = "all"
    scope: Literal["channel", "purpose"] = "channel"
    source: Short
    at: AwareDatetime | None = None


class Recorded(Said):
    """contact.recorded: a call, a visit, a bot's talk."""

    contact_id: Short
    medium: Literal["voice", "chat", "store", "bot"]
    state: Short
    identity: Identity | None = None
    agent: Short | None = None
    queued_ms: int | None = None
    summary: str | None = None


class Handoff(Said):
    conversation_id: Short
    source: Annotated[Short, Field(alias="from")] = "bot"
    to: Short = "human"
    reason: Short
    identity: Identity | None = None

    model_config = ConfigDict(populate_by_name=True)


class Link(Said):
    """identity.linked, identity.unlinked."""

    a: Identity
    b: Identity
    evidence: Short
    strength: Literal["strong", "weak"] = "strong"


class Erasure(Said):
    """customer.erasure_requested."""

    identity: Identity | None = None
    orders: tuple[Short, ...] = ()
    scope: Literal["customer", "shop", "export"] = "customer"


# -- commerce ----------------------------------------------------------------------------------


class ParcelRef(Payload):
    carrier: Short
    tracking_number: Short


class Order(Said):
    """order.placed, changed, paid, fulfilled, cancelled, returned, requested, confirmed."""

    shop: Short
    order_id: Short
    order_number: Short | None = None
    lines: tuple[Line, ...] = ()
    total: Amount | None = None
    currency: Short | None = None
    customer: Identity | None = None
    conversation_id: Short | None = None
    request: Short | None = None
    """Id of the `order.requested` this order answers: an id nobody can guess is the proof."""
    parcels: tuple[ParcelRef, ...] = ()
    placed_at: AwareDatetime | None = None
    ship_to: str | None = None
    note: str | None = None
    version: Short | None = None
    lang: Short | None = None


class OrderRef(Payload):
    shop: Short
    order_id: Short


class OrderUpdated(Payload):
    """order.updated: the projection reached a milestone. `milestone` is from a closed list."""

    shop: Short
    order_id: Short
    order_number: Short
    milestone: Literal[
        "confirmed", "paid", "shipped", "out_for_delivery", "ready_for_pickup", "delivered",
        "attempt_failed", "exception", "refunded", "cancelled", "returned",
    ]  # fmt: skip
    occasion: Short = ""
    """Which one, of milestones that can happen again: the fact's date, or the refund's id."""
    at: AwareDatetime
    revision: int
    total: Amount | None = None
    currency: Short | None = None
    amount: Amount | None = None
    customer: Identity | None = None
    conversation_id: Short | None = None
    ship_to: str | None = None
    parcels: tuple[ParcelRef, ...] = ()
    tracking_url: str | None = None
    eta_until: AwareDatetime | None = None
    lang: Short | None = None


class Payment(Said):
    """payment.*; only `assurance: verified` moves anything."""

    payment_id: Short
    provider: Short
    order: OrderRef | None = None
    amount: Amount
    currency: Short
    assurance: Literal["claimed", "verified"] = "claimed"
    reason: Short | None = None
    due_at: AwareDatetime | None = None


class Scan(Payload):
    at: AwareDatetime
    place: Short | None = None
    code: Short | None = None
    text: str | None = None


class Parcel(Said):
    """parcel.*; `orders` may be empty: the parcel then joins through the order that names it."""

    carrier: Short
    tracking_number: Short
    tracking_url: str | None = None
    orders: tuple[OrderRef, ...] = ()
    eta_from: AwareDatetime | None = None
    eta_until: AwareDatetime | None = None
    scan: Scan | None = None


# -- what the hub concludes --------------------------------------------------------------------


class Entities(Payload):
    order_numbers: tuple[Short, ...] = ()
    tracking_numbers: tuple[Short, ...] = ()
    emails: tuple[Short, ...] = ()
    phones: tuple[Short, ...] = ()


class Classifier(Payload):
    engine: Short
    model: Short
    rank: int


Intent = Literal[
    "place_order", "order_change", "where_is_my_order", "delivery_problem", "return_refund",
    "complaint", "question", "praise", "opt_out", "human_handoff", "other",
]  # fmt: skip


class Classified(Payload):
    """message.classified: what a text means, and who said it where."""

    channel: Short
    account: Short
    message_id: Short
    conversation_id: Short
    identity: Identity | None = None
    visibility: Literal["private", "public"] = "private"
    intent: Intent
    confidence: float
    ranked: tuple[tuple[Intent, float], ...] = ()
    complaint: bool
    complaint_p: float
    severity: Annotated[int, Field(ge=0, le=4)]
    reasons: tuple[Short, ...] = ()
    lang: Short | None = None
    abstained: bool = False
    entities: Entities = Entities()
    classifier: Classifier
    public: PublicPost | None = None


class Origin(Payload):
    channel: Short
    visibility: Literal["private", "public"] = "private"
    kind: Short


class Clock(Payload):
    due_at: AwareDatetime
    paused_ms: int = 0
    state: Literal["running", "paused", "met", "breached"]


class Clocks(Payload):
    first_response: Clock | None = None
    next_response: Clock | None = None
    resolution: Clock | None = None


class Case(Payload):
    """case.*: a promise to resolve one issue of one customer."""

    case_id: Short
    state: Short
    issue: Short
    customer: Identity | None = None
    conversation_id: Short | None = None
    account: Short | None = None
    origin: Origin
    about: tuple[Short, ...] = ()
    severity: Annotated[int, Field(ge=0, le=4)] = 0
    score: dict[Short, int] = Field(default_factory=dict)
    clocks: Clocks = Clocks()
    reason: Short | None = None
    lang: Short | None = None


Purpose = Literal["order", "case", "answer", "marketing"]


class ReplyRequested(Payload):
    to: Identity
    conversation_id: Short | None = None
    purpose: Purpose
    about: Short
    text_key: Short | None = None
    text: str | None = None
    params: dict[Short, str] = Field(default_factory=dict)


class ReplyPlanned(Payload):
    """reply.planned, reply.blocked: one message per (about, milestone, audience), and why so."""

    outbox: Short
    about: Short
    milestone: Short
    audience: Short
    channel: Short
    account: Short | None = None
    identity: Identity | None = None
    means: Literal["free", "template", "token", "response"] | None = None
    send_at: AwareDatetime | None = None
    reason: Short


class Notified(Payload):
    """shipper.notified: what a carrier or shipper answered to what we asked."""

    shop: Short
    order_id: Short
    carrier: Short
    action: Literal["ship", "hold", "readdress", "return", "claim"]
    result: Short
    parcel: ParcelRef | None = None
    outbox: Short


class ChannelState(Payload):
    """channel.degraded, channel.recovered."""

    channel: Short
    account: Short
    audience: Literal["buyer", "desk", "shipper"] | None = None
    """Who is not reached while it lasts."""
    reason: Short
    until: AwareDatetime | None = None


def plain(payload: BaseModel) -> dict[str, Any]:
    """JSON values of a payload, without what is not there."""
    return payload.model_dump(mode="json", exclude_none=True, by_alias=True)
