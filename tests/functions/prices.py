"""AWS's list prices, and what was assumed where nothing can be counted."""

from tests.functions.flow import Flow

LIST = {
    "API Gateway, REST API, a million requests": "3.50",
    "Lambda, a million invocations": "0.20",
    "Lambda on arm64, a GB-second": "0.0000133334",
    "EventBridge, a million events of up to 64 KB": "1.00",
    "SQS, standard queue, a million requests": "0.40",
    "DynamoDB on demand, a million write units": "0.625",
    "DynamoDB on demand, a million read units": "0.125",
    "CloudWatch Logs, a GB taken in": "0.50",
}
"""us-east-1, in dollars, first tier, without any free tier."""
REQUEST, INVOKE, GB_SECOND, EVENT, SQS, WRITE, READ, LOGS = map(float, LIST.values())
ROWS = "\n".join(f"| {name} | ${price} |" for name, price in LIST.items())
TABLE = f"| what | list price |\n| --- | ---: |\n{ROWS}"
LINE_GB = 300 / 1e9
API_MS, API_GB = 30, 1.0
BATCH_MS, GB = 15, 0.5
RECORD_MS = {"sender": 250, "payments": 250, "journal": 2}
"""Assumed, not counted: how long an invocation runs, and each of its records; 10 ms else."""
BATCHES = {"journal": 100}
"""Records in a batch when the hub is busy; 10 else. At a trickle each comes alone."""


def million(flow: Flow, *, busy: bool) -> float:
    """Dollars for a million of what was followed."""
    front = flow.requests * (
        REQUEST + INVOKE + LOGS * LINE_GB * 1e6 + API_MS * API_GB * GB_SECOND * 1e3
    )
    queues = sum(_queue(name, count, busy) for name, count in flow.handled.items())
    return front + flow.events * EVENT + queues + flow.writes * WRITE + flow.reads * READ


def _queue(name: str, messages: int, busy: bool) -> float:
    """One request sends a message; one receives and one deletes a batch of them."""
    batch = BATCHES.get(name, 10) if busy else 1
    spent_ms = BATCH_MS / batch + RECORD_MS.get(name, 10)
    each = SQS * (1 + 2 / batch) + INVOKE / batch + spent_ms * GB * GB_SECOND * 1e3
    return messages * each


SECRET_MONTH, ALARM_MONTH, METRIC_MONTH = 0.40, 0.10, 0.30
MINUTES = 30 * 24 * 60
POLLS_A_MINUTE = 5 * 3
"""Assumed: five pollers wait at each queue, twenty seconds at a time."""


def at_rest(*, secrets: int, alarms: int, metrics: int, queues: int, sweep_reads: float) -> str:
    """A table of a month in which nothing happens."""
    rows = {
        f"{secrets} secrets": secrets * SECRET_MONTH,
        f"{alarms} alarms": alarms * ALARM_MONTH,
        f"{metrics} metrics of log lines": metrics * METRIC_MONTH,
        f"polling {queues} queues": queues * POLLS_A_MINUTE * MINUTES / 1e6 * SQS,
        "the sweep, every minute": MINUTES / 1e6 * (sweep_reads * READ + INVOKE),
    }
    rows["together"] = sum(rows.values())
    lines = "\n".join(f"| {name} | ${dollars:.2f} |" for name, dollars in rows.items())
    return f"| a month at rest | dollars |\n| --- | ---: |\n{lines}"
