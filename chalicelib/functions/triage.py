"""What somebody means: `message.classified`, and at once what cannot wait (opt-out, a human)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import reading
from chalicelib.events import Event
from chalicelib.functions._shell import Patterns, of, run
from chalicelib.reading import Reader, Reading

bp = Blueprint(__name__)
_HEARD = (
    "message.received message.edited postback.received comment.created comment.edited"
    " mention.created review.created contact.recorded"
)


@dataclass(frozen=True)
class Triage:
    """Reads what customers say. What is synthetic, standby or our own is not read."""

    reader: Reader
    consumes: ClassVar[Patterns] = of(_HEARD)
    emits: ClassVar[Patterns] = of("message.classified consent.withdrawn handoff.requested")

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        said = _said(event.data)
        if said is None:
            return
        found = self.reader.read(said.words, said.lang)
        data = _classified(said, found)
        yield event.causes(
            "message.classified", data, event.subject, now=now, discriminator=found.engine
        )
        if said.identity and not found.abstained:
            yield from self._at_once(event, said, said.identity, found, now)

    def _at_once(
        self, event: Event, said: "_Words", who: p.Identity, found: Reading, now: datetime
    ) -> Iterator[Event]:
        where: Any = {"channel": said.channel, "account": said.account, "identity": who}
        if found.intent == "opt_out" and said.visibility == "private":
            consent = p.Consent(**where, source="words", at=event.effective)
            yield event.causes("consent.withdrawn", consent, event.subject, now=now)
        if found.intent == "human_handoff":
            handoff = p.Handoff(**where, conversation_id=said.conversation_id, reason="asked")
            yield event.causes("handoff.requested", handoff, event.subject, now=now)


@dataclass(frozen=True)
class _Words:
    channel: str
    account: str
    message_id: str
    conversation_id: str
    identity: p.Identity | None
    visibility: Any
    words: str
    lang: str | None = None
    rating: p.Rating | None = None
    public: p.PublicPost | None = None


def _said(data: Any) -> _Words | None:
    match data:
        case p.Message(author=p.Author(kind="customer"), synthetic=None, standby=None):
            where = (data.channel, data.account, data.message_id, data.conversation_id)
            who = (data.author.identity, data.visibility)
            return _Words(*where, *who, data.text, data.lang, data.rating, data.public)
        case p.Press(author=p.Author(kind="customer"), synthetic=None, standby=None):
            where = (data.channel, data.account, data.message_id or "", data.conversation_id)
            return _Words(*where, data.author.identity, "private", data.title or data.payload)
        case p.Recorded(summary=str(words)):
            where = (data.channel, data.account, data.contact_id, data.contact_id)
            return _Words(*where, data.identity, "private", words)
    return None


def _classified(said: _Words, found: Reading) -> p.Classified:
    bad_review = bool(said.rating) and _negative(said.rating)
    return p.Classified(
        channel=said.channel,
        account=said.account,
        message_id=said.message_id,
        conversation_id=said.conversation_id,
        identity=said.identity,
        visibility=said.visibility,
        intent="complaint" if bad_review else found.intent,
        confidence=found.confidence,
        ranked=found.ranked,
        complaint=found.complaint or bad_review,
        complaint_p=1.0 if bad_review else found.complaint_p,
        severity=max(found.severity, 2 if bad_review else 0),
        reasons=(*found.reasons, "negative review") if bad_review else found.reasons,
        lang=found.lang,
        abstained=found.abstained and not bad_review,
        entities=found.entities,
        classifier=p.Classifier(engine=found.engine, model=found.model, rank=found.rank),
        public=said.public,
    )


def _negative(rating: p.Rating | None) -> bool:
    if rating is None:
        return False
    if rating.recommended is not None:
        return not rating.recommended
    return rating.value is not None and rating.value * 2 <= (rating.of or 5)


@bp.lambda_function(name="triage")
def triage(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the triage queue."""
    return run(Triage(reading.reader()), batch, context)
