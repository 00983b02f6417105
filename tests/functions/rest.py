"""An event as API Gateway's REST API sends it to its Lambda, every body in base64."""

from base64 import b64encode
from typing import Any


class Context:
    """As much of Lambda's context as Chalice and Powertools look at."""

    function_name = "api"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:api"
    memory_limit_in_mb = 1024
    aws_request_id = "req-1"
    log_group_name = log_stream_name = "log"

    def get_remaining_time_in_millis(self) -> int:
        return 15_000


def event(
    path: str,
    body: bytes | str | None = None,
    headers: dict[str, Any] | None = None,
    method: str = "POST",
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    """`path` as the platform wrote it; a `str` body comes as it is, `bytes` in base64."""
    parts = path.strip("/").split("/")
    names = ["channel", "account"][: len(parts) - 1] if parts[0] == "webhooks" else []
    resource = "/".join([parts[0], *("{%s}" % name for name in names)])  # noqa: UP031
    many = {k: v if isinstance(v, list) else [v] for k, v in (headers or {}).items()}
    return {
        "resource": f"/{resource}",
        "path": path,
        "httpMethod": method,
        "headers": {k: v[-1] for k, v in many.items()} or None,
        "multiValueHeaders": many or None,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} if query else None,
        "pathParameters": dict(zip(names, parts[1:], strict=True)) or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": f"/{resource}",
            "httpMethod": method,
            "requestId": "req-1",
            "accountId": "123456789012",
            "apiId": "abcdef",
            "stage": "api",
            "path": f"/api{path}",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "LineBotWebhook/2.0"},
        },
        "body": b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }
