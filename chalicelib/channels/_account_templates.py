"""Templates whose ids and field names are an account's own: WeChat, Alimtalk.

`template_order_shipped` among the account's secrets holds `<id> [<field> ...]`, the fields in the
order in which our sentence names its parameters.
"""

from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Template


def filled(template: Template, credentials: Credentials) -> tuple[str, dict[str, str]]:
    """(the account's id, value by field). Unsupported where nobody wrote it, or not so many."""
    known, *names = credentials.get(f"template_{template.name}").split() or [""]
    if not known:
        raise Unsupported(f"{credentials.owner} knows no template {template.name}")
    fields = names or [f"keyword{n}" for n, _ in enumerate(template.params, 1)]
    if len(fields) != len(template.params):
        raise Unsupported(f"template {template.name} has {len(fields)} fields")
    return known, dict(zip(fields, template.params, strict=True))
