"""eBay notifications and its messages: https://developer.ebay.com/api-docs/commerce/notification

Register `/webhooks/ebay/<seller>`: several topics name no seller, and an order belongs to one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.channels._ebay import READERS, Told, claim_of, is_over
from chalicelib.channels._ebay_key import (
    answer_for,
    api,
    header,
    is_signed,
    key_url,
    read_header,
    token,
)
from chalicelib.channels._payment import claimed
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, WrongMethod
from chalicelib.events import Event
from chalicelib.jsons import read_json, text_of
from chalicelib.outbound import Call, Outcome, Outgoing, Response, judge
from chalicelib.source import (
    SHAPE_ERRORS,
    Answer,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    ident,
)

_HEADER = "x-ebay-signature"
_TEST_KEY = "00000000-parley-test"


class EBay(SignedSource, Channel):
    name = "ebay"
    title = "eBay"
    docs = "https://developer.ebay.com/api-docs/commerce/notification/overview.html"
    emits = frozenset(
        (
            "message.received message.echoed review.created customer.erasure_requested"
            " order.placed order.paid order.changed order.fulfilled order.cancelled"
            " order.returned parcel.registered payment.disputed payment.dispute_closed"
        ).split()
    )
    handshake_kind = "GET challenge"
    signature = "ECDSA of the body; key fetched"
    signing_key = "test_signer"
    shared_key = False
    dedupe = "notificationId"
    deadline = timedelta(seconds=3)
    retry_horizon = timedelta(days=1)
    means = ("free",)
    hosts = frozenset({"api.ebay.com", "api.sandbox.ebay.com"})

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {_HEADER: header(key, _TEST_KEY, request.body)}

    def signed(self, request: Request, key: str) -> Request:
        """With the public key that the door would fetch."""
        hosts = (f"https://{host}" for host in self.hosts)
        place = f"/commerce/notification/v1/public_key/{_TEST_KEY}"
        fetched = {f"{host}{place}": answer_for(key) for host in hosts}
        return replace(super().signed(request, key), fetched=fetched)

    def wants(self, request: Request, accounts: Accounts) -> tuple[Call, ...]:
        """A token of our application's, and with it the key that the header names."""
        if not (signed := read_header(request.headers.get(_HEADER, ""))):
            return ()
        holder = accounts.of(request.account or DEFAULT)
        url, first = key_url(holder, signed.key_id), token(holder)
        if url in request.fetched:
            return ()
        if first.url not in request.fetched:
            return (first,)
        bearer = f"Bearer {_access(request.fetched[first.url])}"
        return (Call("GET", url, {"authorization": bearer, "accept": "application/json"}),)

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        holders = list(accounts.holding("client_id", request.account))
        signed = read_header(request.headers.get(_HEADER, ""))
        for holder in holders if signed else ():
            answer = request.fetched.get(key_url(holder, signed.key_id)) if signed else None
            if signed and answer and is_signed(signed, answer, request.body):
                return holder
        raise InvalidSignature(self.name)

    def may_claim(self, signer: Credentials, account: str, accounts: Accounts) -> bool:
        """eBay signs for all of its sellers."""
        return True

    def handshake(self, request: Request, accounts: Accounts) -> Answer:
        """SHA-256 of code, token and `endpoint`, which is the address as it was registered."""
        if request.method != "GET":
            raise WrongMethod(f"{self.name} sends no {request.method}")
        if not (code := request.query.get("challenge_code")):
            raise MalformedPayload("no challenge_code")
        holder = accounts.of(request.account or DEFAULT)
        told = code + holder.one("verification_token") + holder.one("endpoint")
        found = sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        return Answer(text_of({"challengeResponse": found}), content_type="application/json")

    def answer(self, request: Request) -> Answer:
        return Answer("", 204)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        note = document["notification"]
        account = request.account or _seller(note["data"]) or DEFAULT
        yield Item(document, ident(account), ident(note["notificationId"]), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        topic = str(item.value["metadata"]["topic"])[:100]
        if not (reader := READERS.get(topic)):
            raise NoWord(f"ebay {topic}")
        yield from reader(Told(item))

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """An answer in the conversation that the member opened."""
        thread = message.conversation_id.rpartition("/")[2]
        words = {"conversationId": thread, "messageText": message.text[: self.text_limit]}
        auth = {"authorization": f"Bearer {credentials.one('access_token')}"}
        return Call.json(f"{api(credentials)}/commerce/message/v1/send_message", words, auth)

    def outcome(self, response: Response) -> Outcome:
        if response.status in (200, 201) and (sent := response.json.get("messageId")):
            return Outcome("sent", str(sent))
        return judge(response)

    def reread(self, payment: Event, credentials: Credentials) -> Call:
        """Asks the Post-Order API for the inquiry that disputes a payment."""
        where = f"{api(credentials)}/post-order/v2/inquiry/{p.path(claimed(payment).payment_id)}"
        auth = {"authorization": f"IAF {credentials.one('access_token')}"}
        return Call("GET", where, {**auth, "accept": "application/json"})

    def reread_payment(self, payment: Event, response: Response) -> p.Payment | None:
        """The inquiry's own amount; None unless it is as open, or as closed, as was claimed."""
        claim, said = claimed(payment), response.json
        try:
            stated = claim_of(said)
            same = str(said["inquiryId"]) == claim.payment_id
        except SHAPE_ERRORS:
            return None
        if response.status != 200 or not stated or not same:
            return None
        if payment.type == "payment.dispute_closed" and not is_over(said):
            return None
        word = {"amount": stated[0], "currency": stated[1], "assurance": "verified", "raw": None}
        return claim.model_copy(update=word)


def _seller(data: Any) -> Any:
    """Whose notification it is, where it says so."""
    if not isinstance(data, Mapping):
        return None
    user = data.get("user")
    named = user.get("username") if isinstance(user, Mapping) else None
    return named or data.get("recipientUserName")


def _access(answer: bytes) -> str:
    """The token of eBay's answer; a wrong one is refused when the key is asked for."""
    try:
        return str(read_json(answer)["access_token"])
    except SHAPE_ERRORS:
        return ""


channel = EBay()
