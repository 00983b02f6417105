"""Every way the hub can fail. The status is the whole decision: 4xx never again, 5xx try again.

HubError                  500  ours
├─ Rejected               400  the sender's
│  ├─ MalformedPayload    400  verified, but no JSON or XML; a handshake without its parameter
│  ├─ InvalidSignature    401  missing, forged or stale
│  ├─ WrongVerifyToken    403
│  ├─ UnknownSource       404  no such channel, or no such account of it
│  ├─ WrongMethod         405
│  └─ TooLarge            413
├─ Unsupported            422  the channel cannot carry what it was asked to say
├─ Misconfigured          503  a secret or a setting is missing; sent again until an operator acts
└─ Unavailable            503  AWS refused or did not answer; nothing was accepted
   ├─ TimedOut            504  a call outside may or may not have happened
   └─ NotSent             503  a call outside certainly did not happen
"""


class HubError(Exception):
    """Base of them all; `status` is what a platform is told."""

    status = 500


class Rejected(HubError):
    status = 400


class MalformedPayload(Rejected):
    pass


class InvalidSignature(Rejected):
    status = 401


class WrongVerifyToken(Rejected):
    status = 403


class UnknownSource(Rejected):
    status = 404


class WrongMethod(Rejected):
    status = 405


class TooLarge(Rejected):
    status = 413


class Unsupported(HubError):
    status = 422


class Misconfigured(HubError):
    status = 503


class Unavailable(HubError):
    status = 503


class TimedOut(Unavailable):
    status = 504


class NotSent(Unavailable):
    pass
