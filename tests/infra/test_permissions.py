"""A function may do what its code does, and nothing more: code and policies, side by side."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).parent.parent.parent
FUNCTIONS = ROOT / "chalicelib" / "functions"
ACTIONS = {
    "put": "dynamodb:PutItem",
    "put_new": "dynamodb:PutItem",
    "put_newer": "dynamodb:PutItem",
    "put_older": "dynamodb:PutItem",
    "put_all": "dynamodb:BatchWriteItem",
    "get": "dynamodb:GetItem",
    "query": "dynamodb:Query",
    "due": "dynamodb:Query",
    "change": "dynamodb:UpdateItem",
}
WIRED = {
    "send_secrets": "secretsmanager:GetSecretValue",
    "verify_secrets": "secretsmanager:GetSecretValue",
    "settings": "ssm:GetParameter",
}
PARTS = {"api": ("_door",)}
"""What a function is made of beside the modules of `functions` that it imports."""


def trees(name: str) -> Iterator[ast.Module]:
    """The module of a function, and the parts it is made of."""
    tree = ast.parse((FUNCTIONS / f"{name}.py").read_text())
    yield tree
    for part in ("_outbox", "_delivery", *PARTS.get(name, ())):
        if f"chalicelib.functions.{part}" in _imported(tree) and part != name:
            yield from trees(part)
    if "keep" in _imported(tree):
        yield ast.parse("table.put_older()")


def used(name: str) -> set[str]:
    """IAM actions that the code asks for on the table and the stores."""
    found = set()
    for tree in trees(name):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                found |= _actions(node.func)
    return found


def allowed(name: str) -> set[str]:
    """IAM actions on the table and the stores that its policy grants."""
    policy = json.loads((ROOT / ".chalice" / "policies" / f"{name}.json").read_text())
    actions = [s["Action"] for s in policy["Statement"]]
    flat = {a for each in actions for a in ([each] if isinstance(each, str) else each)}
    return {a for a in flat if a.split(":")[0] in ("dynamodb", "secretsmanager", "ssm")}


@pytest.mark.parametrize("name", ["api", *app.REACTIONS])
def test_a_policy_grants_what_the_code_asks_for_and_no_more(name: str) -> None:
    assert allowed(name) == used(name)


def _actions(call: ast.Attribute) -> set[str]:
    holder = ast.unparse(call.value)
    if holder.rstrip("()").endswith("table") and call.attr in ACTIONS:
        return {ACTIONS[call.attr]}
    if holder == "wiring" and call.attr in WIRED:
        return {WIRED[call.attr]}
    return set()


def _imported(tree: ast.Module) -> set[str]:
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    return {str(n.module) for n in found} | {a.name for n in found for a in n.names}
