"""The table's promises, each against DynamoDB's own rules."""

from decimal import Decimal

import pytest

from chalicelib import wiring
from chalicelib.errors import Unavailable
from chalicelib.gateways.table import Table
from tests.gateways.aws import Aws


@pytest.fixture
def table(aws: Aws) -> Table:
    return wiring.table()


def item(sk: str = "a", **more: object) -> dict[str, object]:
    return {"pk": "P", "sk": sk, **more}


def test_what_is_put_is_got_as_it_was(table: Table) -> None:
    kept = item(text="é\x00😀", number=7, exact=Decimal("30.10"), many=["a", 1, True], nothing=None)
    table.put(kept)
    assert table.get("P", "a") == kept


def test_nothing_there_is_none(table: Table) -> None:
    assert table.get("P", "nowhere") is None


def test_put_replaces_whatever_was_there(table: Table) -> None:
    table.put(item(old=1))
    table.put(item(new=2))
    assert table.get("P", "a") == item(new=2)


def test_put_new_writes_once(table: Table) -> None:
    assert table.put_new(item(n=1))
    assert not table.put_new(item(n=2))
    assert table.get("P", "a") == item(n=1)


def test_put_new_of_the_same_owner_is_ours_again(table: Table) -> None:
    assert table.put_new(item(owner="me"))
    assert table.put_new(item(owner="me"))
    assert not table.put_new(item(owner="you"))
    assert not table.put_new(item())


def test_a_put_whose_answer_was_lost_is_ours(aws: Aws, table: Table) -> None:
    aws.wire.fail("PutItem", "lost")
    assert table.put_new(item(owner="me"))
    assert aws.wire.sent == ["PutItem", "PutItem"], "the SDK asked again and met our own item"


def test_a_put_without_owner_whose_answer_was_lost_says_it_was_there(
    aws: Aws, table: Table
) -> None:
    aws.wire.fail("PutItem", "lost")
    assert not table.put_new(item())
    assert table.get("P", "a") == item()


@pytest.mark.parametrize(
    ("name", "order"), [("put_newer", ["1", "3", "2"]), ("put_older", ["3", "1", "2"])]
)
def test_a_register_keeps_one_end_whatever_the_order(
    table: Table, name: str, order: list[str]
) -> None:
    put = getattr(table, name)
    assert [put(item(rank=rank), "rank") for rank in order] == [True, True, False]
    assert table.get("P", "a") == item(rank=order[1])


@pytest.mark.parametrize("name", ["put_newer", "put_older"])
def test_a_register_is_not_written_for_another_of_equal_rank(table: Table, name: str) -> None:
    put = getattr(table, name)
    assert put(item(rank="1", said="first"), "rank")
    assert not put(item(rank="1", said="second"), "rank")
    assert table.get("P", "a") == item(rank="1", said="first")


@pytest.mark.parametrize("name", ["put_newer", "put_older"])
def test_a_register_whose_answer_was_lost_was_written(aws: Aws, table: Table, name: str) -> None:
    aws.wire.fail("PutItem", "lost")
    assert getattr(table, name)(item(rank="1"), "rank")


def test_many_are_put_25_a_call(aws: Aws, table: Table) -> None:
    table.put_all([item(f"{n:03}", n=n) for n in range(60)])
    assert aws.wire.sent == ["BatchWriteItem"] * 3
    assert [i["n"] for i in table.query("P")] == list(range(60))


def test_none_are_put_without_a_call(aws: Aws, table: Table) -> None:
    table.put_all([])
    assert aws.wire.sent == []


def test_what_a_batch_left_undone_is_asked_for_again(aws: Aws, table: Table) -> None:
    left = [2, 1]

    def partly(parsed: dict[str, object]) -> None:
        [(name, writes)] = aws.wire.latest["RequestItems"].items()
        count = left.pop() if left else 0
        parsed["UnprocessedItems"] = {name: writes[:count]} if count else {}

    aws.wire.after("dynamodb.BatchWriteItem", partly)
    table.put_all([item("a"), item("b"), item("c")])
    assert aws.wire.sent == ["BatchWriteItem"] * 3
    assert [i["sk"] for i in table.query("P")] == ["a", "b", "c"]


def test_what_a_batch_never_takes_is_unavailable(aws: Aws, table: Table) -> None:
    def none(parsed: dict[str, object]) -> None:
        parsed["UnprocessedItems"] = aws.wire.latest["RequestItems"]

    aws.wire.after("dynamodb.BatchWriteItem", none)
    with pytest.raises(Unavailable):
        table.put_all([item()])


def test_a_query_gives_a_partition_in_key_order(table: Table) -> None:
    for sk in ("FACT#b", "LINK#a", "FACT#a"):
        table.put(item(sk))
    table.put({"pk": "Q", "sk": "FACT#z"})
    assert [i["sk"] for i in table.query("P")] == ["FACT#a", "FACT#b", "LINK#a"]
    assert [i["sk"] for i in table.query("P", "FACT#")] == ["FACT#a", "FACT#b"]
    assert table.query("P", "NONE#") == []


def test_a_query_goes_on_over_pages(aws: Aws, table: Table) -> None:
    large = "x" * 300_000  # a page holds 1 MB
    table.put_all([item(f"{n}", text=large) for n in range(8)])
    aws.wire.sent.clear()
    assert [i["sk"] for i in table.query("P")] == list("01234567")
    assert len(aws.wire.sent) == 3


def test_reads_are_consistent_where_a_decision_follows(aws: Aws, table: Table) -> None:
    table.get("P", "a")
    assert aws.wire.latest["ConsistentRead"] is True
    table.query("P")
    assert aws.wire.latest["ConsistentRead"] is True


def due(sk: str, at: str, shard: str = "DUE#1") -> dict[str, str]:
    return {"pk": "P", "sk": sk, "gsi1pk": shard, "gsi1sk": at, "body": "not in the index"}


def test_what_falls_due_comes_soonest_first_and_as_keys_alone(table: Table) -> None:
    for entry in (due("b", "2026-01-02"), due("a", "2026-01-01"), due("c", "2026-01-03")):
        table.put(entry)
    table.put(due("elsewhere", "2026-01-01", "DUE#2"))
    found = table.due("DUE#1", "2026-01-02")
    assert [i["sk"] for i in found] == ["a", "b"]
    assert set(found[0]) == {"pk", "sk", "gsi1pk", "gsi1sk"}


def test_what_is_done_leaves_the_index(table: Table) -> None:
    table.put(due("a", "2026-01-01"))
    assert table.change("P", "a", {"fired": True}, when={"pk": "P"}, remove=("gsi1pk", "gsi1sk"))
    assert table.due("DUE#1", "2026-01-02") == []


def test_a_change_sets_and_removes_where_every_condition_holds(table: Table) -> None:
    table.put(item(state="open", n=1, gone="x"))
    changed = table.change("P", "a", {"state": "shut"}, when={"state": "open", "n": 1},
                           remove=("gone",))  # fmt: skip
    assert changed == item(state="shut", n=1) == table.get("P", "a")


@pytest.mark.parametrize("when", [{"state": "shut"}, {"state": "open", "n": 2}, {"other": 1}])
def test_a_change_whose_condition_fails_changes_nothing(
    table: Table, when: dict[str, object]
) -> None:
    table.put(item(state="open", n=1))
    assert table.change("P", "a", {"state": "x"}, when=when) is None
    assert table.get("P", "a") == item(state="open", n=1)


def test_a_change_makes_no_item(table: Table) -> None:
    assert table.change("P", "a", {"state": "x", "owner": "me"}, when={"state": "open"}) is None
    assert table.get("P", "a") is None


def test_a_claim_whose_answer_was_lost_is_ours(aws: Aws, table: Table) -> None:
    table.put(item(state="planned"))
    aws.wire.fail("UpdateItem", "lost")
    claim = {"state": "calling", "owner": "me"}
    claimed = table.change("P", "a", claim, when={"state": "planned"})
    assert claimed == item(state="calling", owner="me")
    assert aws.wire.sent.count("UpdateItem") == 2


def test_an_end_whose_answer_was_lost_is_ours(aws: Aws, table: Table) -> None:
    table.put(due("a", "2026-01-01") | {"state": "calling"})
    aws.wire.fail("UpdateItem", "lost")
    end, gone = {"state": "sent", "ended_at": "12:00"}, ("gsi1pk", "gsi1sk")
    assert table.change("P", "a", end, when={"state": "calling"}, remove=gone) is not None


def test_an_end_of_another_is_not_ours(table: Table) -> None:
    table.put(item(state="sent", ended_at="11:59"))
    end = {"state": "sent", "ended_at": "12:00"}
    assert table.change("P", "a", end, when={"state": "calling"}) is None


def test_what_is_not_removed_is_not_ours(table: Table) -> None:
    table.put(item(state="sent", token="t"))
    taken = table.change("P", "a", {"state": "sent"}, when={"token": "u"}, remove=("token",))
    assert taken is None


def test_a_claim_of_another_is_not_ours(table: Table) -> None:
    table.put(item(state="calling", owner="you"))
    assert table.change("P", "a", {"state": "calling", "owner": "me"}, when={"state": "p"}) is None


CALLS = {
    "PutItem": lambda t: t.put(item()),
    "PutItem new": lambda t: t.put_new(item()),
    "PutItem newer": lambda t: t.put_newer(item(rank=1), "rank"),
    "PutItem older": lambda t: t.put_older(item(rank=1), "rank"),
    "BatchWriteItem": lambda t: t.put_all([item()]),
    "GetItem": lambda t: t.get("P", "a"),
    "Query": lambda t: t.query("P"),
    "Query due": lambda t: t.due("DUE#1", "2026"),
    "UpdateItem": lambda t: t.change("P", "a", {"n": 1}, when={"pk": "P"}),
}


@pytest.mark.parametrize("how", ["throttled", "dropped", "lost"])
def test_a_table_that_does_not_answer_is_unavailable(aws: Aws, table: Table, how: str) -> None:
    for name, call in CALLS.items():
        aws.wire.sent.clear()
        aws.wire.fail(name.split()[0], how, times=3)
        with pytest.raises(Unavailable):
            call(table)
        assert len(aws.wire.sent) == 3, name


@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_one_throttled_or_dropped_call_costs_nothing(aws: Aws, table: Table, how: str) -> None:
    aws.wire.fail("PutItem", how)
    assert table.put_new(item(owner="me"))
