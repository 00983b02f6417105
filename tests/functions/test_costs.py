"""What each piece of work costs at AWS, counted and exact; and what a million of them cost.

Both tables are those of infra/README.md: what changes a cost changes them here and there.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra import template
from tests.functions import facts, prices
from tests.functions.facts import said
from tests.functions.flow import Flow, follow
from tests.functions.hub import Hub
from tests.functions.meter import Meter
from tests.functions.work import BODIES, WORK, post, told, warm
from tests.gateways.aws import Aws

COSTS = """
| work | calls | read units | write units |
| --- | --- | ---: | ---: |
| api: a delivery of one message | PutEvents | 0 | 0 |
| api: a delivery of twelve | PutEvents ×2 | 0 | 0 |
| api: a challenge | – | 0 | 0 |
| api: a forged delivery | – | 0 | 0 |
| api: the first delivery after a cold start | GetSecretValue, PutEvents | 0 | 0 |
| api: the answer travels in the response | PutItem, PutEvents, GetItem ×2 | 2 | 1 |
| api: the answer is waited for in vain | PutItem, PutEvents, GetItem ×35, UpdateItem | 35 | 2 |
| intake: an entry that was spilled | PutEvents | 0 | 0 |
| triage: a message | PutEvents | 0 | 0 |
| triage: a message that says stop | PutEvents | 0 | 0 |
| payments: a claim of money | PutEvents | 0 | 0 |
| orders: an order | PutItem, Query, PutEvents | 1 | 2 |
| orders: an order that answers a chat | PutItem ×3, Query ×2, PutEvents | 2 | 5 |
| orders: a cart in a chat | PutItem, Query, PutEvents | 1 | 2 |
| orders: verified money | PutItem, Query, PutEvents | 1 | 1 |
| orders: a fulfilment that names a parcel | PutItem ×2, Query ×2, PutEvents | 2 | 2 |
| orders: a scan of a parcel of an order | PutItem ×2, Query ×2, PutEvents | 3 | 2 |
| orders: a scan of a parcel nobody named | PutItem, Query | 1 | 1 |
| shippers: an order is paid | PutItem, SendMessage | 0 | 2 |
| escalations: a complaint | PutItem ×3, Query, SendMessage, PutEvents | 1 | 5 |
| escalations: the customer writes again | PutItem ×4, Query, GetItem, SendMessage | 2 | 5 |
| escalations: a parcel of an order breaks | Query | 1 | 0 |
| escalations: a parcel breaks that nobody named | Query, PutItem | 1 | 2 |
| escalations: a late answer | GetItem, Query, PutItem, SendMessage, UpdateItem, PutEvents | 2 | 4 |
| replies: a milestone | Query, PutItem, SendMessage, PutEvents | 1 | 2 |
| replies: a milestone that may not be told | Query, GetItem, PutEvents | 2 | 0 |
| sender: a message on WhatsApp | Query, GetItem, UpdateItem ×2, PutEvents | 2 | 3 |
| sender: a shipper is asked | Query, GetItem, UpdateItem ×2, PutEvents | 2 | 3 |
| sender: a desk is told | Query, GetItem, UpdateItem ×2, PutEvents | 2 | 3 |
| sender: the platform asks for patience | Query, GetItem, UpdateItem ×2, SendMessage | 2 | 4 |
| sender: woken again when all is over | Query, GetItem, PutEvents | 2 | 0 |
| profiles: a message | PutItem | 0 | 1 |
| profiles: a message older than the last | PutItem | 0 | 1 |
| profiles: a delivery status | PutItem | 0 | 1 |
| profiles: a consent | PutItem | 0 | 1 |
| journal: an event | BatchWriteItem | 0 | 1 |
| journal: a hundred events | BatchWriteItem ×4 | 0 | 100 |
| sweep: a minute in which nothing is due | Query ×16 | 8 | 0 |
| sweep: a minute in which one thing is | Query ×16, SendMessage | 8 | 0 |
"""
MOST_OF_A_FACT, MOST_OF_A_SEND = 2, 5
DEARER = {"orders: an order that answers a chat"}
"""It keeps two facts and the link between them: the order's own, and the chat's in its place."""
SENDS = {
    "replies: a milestone": "sender: a message on WhatsApp",
    "shippers: an order is paid": "sender: a shipper is asked",
}
MILLIONS = """
| a million | requests | events | messages | read units | write units | busy | at a trickle |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| private messages | 1 | 2 | 4 | 0 | 3 | $10.13 | $14.29 |
| delivery statuses | 1 | 1 | 2 | 0 | 2 | $7.50 | $9.58 |
| answers | 0 | 3 | 5 | 3 | 8 | $12.40 | $17.65 |
"""
BUDGETS = {"private messages": 12, "delivery statuses": 8, "answers": 10}
"""Dollars a million, when the hub is busy; 18 for a private message at a trickle."""
OVER = {"answers"}
"""The plan and the send are five write units, and each of an answer's three events (the wish, the
plan, the platform's word) is published and kept in the log: 12.40."""
AT_REST = 15
README = (Path(__file__).parents[2] / "infra" / "README.md").read_text("utf-8")


def cells() -> dict[str, list[str]]:
    """The rows of COSTS by their first cell."""
    lines = COSTS.strip().splitlines()[2:]
    split = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {row[0]: row for row in split}


@pytest.mark.parametrize("name", WORK)
def test_a_piece_of_work_costs_exactly_this(aws: Aws, name: str) -> None:
    act, before = WORK[name]
    hub = Hub(aws)
    before(hub)
    meter = Meter(aws)
    act(hub)
    assert [name, meter.calls, f"{meter.reads:g}", f"{meter.writes:g}"] == cells().get(name)
    assert [item for item in aws.items() if not told_of(item)] == [], "infra/README.md, items"


def test_the_table_tells_of_nothing_else() -> None:
    assert list(cells()) == list(WORK)


def test_a_fact_costs_two_write_units_at_most() -> None:
    keeps = {n: float(c[3]) for n, c in cells().items() if n.startswith(("orders:", "profiles:"))}
    assert {n for n, units in keeps.items() if units > MOST_OF_A_FACT} == DEARER
    assert cells()["journal: an event"][3] == "1"


@pytest.mark.parametrize(("planned", "sent"), SENDS.items())
def test_a_send_costs_five_write_units_from_its_plan_to_its_end(planned: str, sent: str) -> None:
    assert float(cells()[planned][3]) + float(cells()[sent][3]) <= MOST_OF_A_SEND


def test_who_is_refused_or_shakes_hands_costs_no_call() -> None:
    assert {cells()[f"api: {n}"][1] for n in ("a challenge", "a forged delivery")} == {"–"}


# -- by the million ----------------------------------------------------------------------------


def message(hub: Hub) -> Flow:
    warm(hub)
    return follow(hub, post(BODIES["whatsapp/text"], name="whatsapp"), requests=1)


def status(hub: Hub) -> Flow:
    warm(hub)
    return follow(hub, post(BODIES["whatsapp/status_delivered"], name="whatsapp"), requests=1)


def answer(hub: Hub) -> Flow:
    """From the wish to answer a customer who wrote today to the platform's word that it has it."""
    told("profiles", said("hello"))(hub)
    return follow(hub, lambda hub: hub.shell.bus.publish([facts.wish()]), requests=0)


FLOWS: dict[str, Callable[[Hub], Flow]] = {
    "private messages": message,
    "delivery statuses": status,
    "answers": answer,
}


def line(name: str, flow: Flow) -> str:
    busy, trickle = prices.million(flow, busy=True), prices.million(flow, busy=False)
    counts = f"{flow.requests} | {flow.events} | {flow.queued} | {flow.reads:g} | {flow.writes:g}"
    return f"| {name} | {counts} | ${busy:.2f} | ${trickle:.2f} |"


@pytest.mark.parametrize("name", FLOWS)
def test_a_million_of_them_costs_this(aws: Aws, name: str) -> None:
    flow = FLOWS[name](Hub(aws))
    assert line(name, flow) in MILLIONS.splitlines()
    assert (prices.million(flow, busy=True) > BUDGETS[name]) is (name in OVER)
    assert prices.million(flow, busy=False) <= 18


def resting() -> str:
    resources = template.merged("prod")["Resources"]
    kinds = Counter(r.get("Type", "a function") for r in resources.values())
    sources = [e["Type"] for r in resources.values()
               for e in r.get("Properties", {}).get("Events", {}).values()]  # fmt: skip
    return prices.at_rest(
        secrets=kinds["AWS::SecretsManager::Secret"],
        alarms=kinds["AWS::CloudWatch::Alarm"],
        metrics=kinds["AWS::Logs::MetricFilter"],
        queues=sources.count("SQS"),
        sweep_reads=float(cells()["sweep: a minute in which nothing is due"][2]),
    )


def test_a_month_at_rest_costs_less_than_fifteen_dollars() -> None:
    assert float(resting().rpartition("$")[2].strip(" |")) <= AT_REST


@pytest.mark.parametrize(
    ("name", "table"),
    [("costs", COSTS), ("millions", MILLIONS), ("prices", prices.TABLE), ("rest", resting())],
)
def test_the_readme_shows_these_tables(name: str, table: str) -> None:
    assert between(name) == table.strip()


def between(name: str) -> str:
    found = re.search(rf"<!-- {name}[^>]*-->\n(.*?)<!-- /{name} -->", README, re.S)
    assert found, f"no {name} in infra/README.md"
    return found.group(1).strip()


@cache
def shapes() -> list[tuple[str, str, set[str]]]:
    """(kind of pk, beginning of sk, attributes) of the README's items."""
    lines = between("items").splitlines()[2:]
    found = [[re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:4]] for line in lines]
    return [(pk.partition("#")[0], re.match(r"[A-Z_]*#?|", sk)[0], {*names, "pk", "sk"})  # type: ignore[index]
            for [pk], [sk], names in found]  # fmt: skip


def told_of(item: dict[str, Any]) -> bool:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    same = [s for s in shapes() if pk.startswith(s[0] + "#") and sk.startswith(s[1])]
    return any(item.keys() <= names for _, _, names in same)
