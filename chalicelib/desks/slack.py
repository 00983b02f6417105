"""Slack: https://docs.slack.dev/reference/methods/chat.postMessage or an incoming webhook."""

from collections.abc import Iterator
from typing import Any

from chalicelib.credentials import Credentials
from chalicelib.desks._desk import Desk
from chalicelib.events import iso
from chalicelib.outbound import Call, Notice, Outcome, Response, Verdict, judge, retry_after

_API = "https://slack.com/api/chat.postMessage"
_SEVERITIES = ("0 · note", "1 · low", "2 · normal", "3 · high", "4 · critical")
_VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(
        [
            "ratelimited",
            "rate_limited",
            "internal_error",
            "fatal_error",
            "service_unavailable",
            "request_timeout",
        ],
        "retry",
    ),
    **dict.fromkeys(
        [
            "invalid_auth",
            "not_authed",
            "account_inactive",
            "token_revoked",
            "token_expired",
            "missing_scope",
            "no_permission",
            "access_denied",
            "ekm_access_denied",
            "org_login_required",
        ],
        "reauthorise",
    ),
    **dict.fromkeys(
        [
            "channel_not_found",
            "not_in_channel",
            "is_archived",
            "channel_is_archived",
            "restricted_action",
            "msg_too_long",
            "msg_blocks_too_long",
            "invalid_blocks",
            "no_text",
            "invalid_payload",
            "action_prohibited",
            "no_service",
            "no_active_hooks",
        ],
        "permanent",
    ),
}


class Slack(Desk):
    """Nothing tells a repeated message from a new one there, so an unknown end is not repeated."""

    name = "slack"
    resend = "never"

    def tell(self, notice: Notice, credentials: Credentials) -> Call:
        """By bot where `bot_token` and `channel` are configured, else to `webhook_url`."""
        message = {
            "text": _plain(notice.title)[:3000],
            "blocks": list(_blocks(notice)),
            "unfurl_links": False,
        }
        token, room = credentials.get("bot_token"), credentials.get("channel")
        if token and room:
            auth = {"authorization": f"Bearer {token}"}
            return Call.json(_API, {"channel": room, **message, "metadata": _meta(notice)}, auth)
        return Call.json(credentials.one("webhook_url"), message, {})

    def outcome(self, response: Response) -> Outcome:
        """The Web API says its errors with 200, an incoming webhook as a word in the body."""
        said = response.json
        if response.status == 200 and said.get("ok") is True:
            return Outcome("sent", message_id=str(said.get("ts") or "") or None)
        code = str(said.get("error") or response.body[:100].decode("ascii", "replace"))
        if verdict := _VERDICTS.get(code):
            wait = retry_after(response) if verdict == "retry" else None
            return Outcome(verdict, code=code, retry_after_s=wait)
        if said.get("ok") is False:
            return Outcome("permanent", code=code)
        return judge(response)


def _blocks(notice: Notice) -> Iterator[dict[str, Any]]:
    title = {"type": "plain_text", "text": notice.title[:150] or notice.event, "emoji": False}
    yield {"type": "header", "text": title}
    yield {"type": "section", "fields": [_mrkdwn(*field) for field in _fields(notice)][:10]}
    facts = " · ".join(f"{key}: {value}" for key, value in notice.facts.items())
    words = _plain(" · ".join(filter(None, (notice.event, notice.case_id, facts))))
    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": words[:3000]}]}


def _fields(notice: Notice) -> Iterator[tuple[str, str]]:
    yield "Severity", _SEVERITIES[max(0, min(notice.severity, 4))]
    if notice.customer:
        yield "Customer", _plain(notice.customer)
    if notice.about:
        yield "About", _plain("\n".join(notice.about))
    if due := notice.due_at:
        shown = f"<!date^{int(due.timestamp())}^{{date_short_pretty}} {{time}}|{iso(due)}>"
        yield "Due", shown


def _mrkdwn(label: str, text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": f"*{label}*\n{text}"[:2000]}


def _meta(notice: Notice) -> dict[str, Any]:
    kind = notice.event.replace(".", "_")
    return {"event_type": kind, "event_payload": {"case_id": notice.case_id, "key": notice.key}}


def _plain(text: str) -> str:
    """So that a customer's words cannot call a channel or forge a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


desk = Slack()
