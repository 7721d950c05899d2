"""`make trace`: each requirement of docs/requirements.md with the tests that show it and their last
result, and the requirements that have none. Tests name them with `@pytest.mark.req("ACD-3")`; results
come from conftest.py."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
MARKS = {"passed": "✓", "failed": "✗", "skipped": "–", "not run": "·"}


def requirements(text: str) -> dict[str, str]:
    """Id → first words of each row `| ACD-3 | … |`, in the order of the page."""
    rows = re.findall(r"^\| *([A-Z]+-\d+) *\| *(.*?) *\|", text, re.MULTILINE)
    return {name: (words if len(words) <= 90 else words[:88] + " …") for name, words in rows}


def _ids(nodes: list[ast.expr]) -> set[str]:
    """The ids in marks `pytest.mark.req(...)` found anywhere in these expressions."""
    return {
        argument.value
        for node in nodes
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "req"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def tests_of(file: Path) -> dict[str, set[str]]:
    """Test (`tests/x.py::Class::name`, without parameters) → the ids it names."""
    tree = ast.parse(file.read_text(), str(file))
    marked = [n.value for n in tree.body if isinstance(n, ast.Assign) and _is_pytestmark(n)]
    found: dict[str, set[str]] = {}

    def walk(body: list[ast.stmt], prefix: str, above: set[str]) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                inner = [n.value for n in node.body if isinstance(n, ast.Assign) and _is_pytestmark(n)]
                walk(node.body, f"{prefix}::{node.name}", above | _ids(node.decorator_list) | _ids(inner))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
                found[f"{prefix}::{node.name}"] = above | _ids(node.decorator_list)

    walk(tree.body, str(file.relative_to(HOUSE)), _ids(marked))
    return {test: ids for test, ids in found.items() if ids}


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def last_results() -> dict[str, str]:
    """Test without parameters → its last result; one failed parameter set is a failure."""
    try:
        raw = json.loads((HOUSE / "var/test/results.json").read_text())
    except (OSError, ValueError):
        return {}
    order = ["passed", "skipped", "failed"]
    worst: dict[str, str] = {}
    for node, result in raw.items():
        test = re.sub(r"\[.*", "", node)
        worst[test] = max(worst.get(test, "passed"), result["outcome"], key=order.index)
    return worst


def main() -> int:
    wanted = requirements((HOUSE / "docs/requirements.md").read_text())
    results = last_results()
    tests: dict[str, list[str]] = defaultdict(list)
    for file in sorted((HOUSE / "tests").rglob("test_*.py")):
        for test, ids in tests_of(file).items():
            for name in ids:
                tests[name].append(test)
    out = sys.stdout
    for name, words in wanted.items():
        if tests[name]:
            out.write(f"{name}  {words}\n")
            for test in tests[name]:
                result = results.get(test, "not run")
                out.write(f"   {MARKS[result]} {test}  ({result})\n")
    without = [name for name in wanted if not tests[name]]
    unknown = sorted(set(tests) - set(wanted))
    out.write(f"\nWithout a test ({len(without)} of {len(wanted)}): {' '.join(without) or 'none'}\n")
    if unknown:
        out.write(f"Named by tests but not in docs/requirements.md: {' '.join(unknown)}\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    raise SystemExit(main())
