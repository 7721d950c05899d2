"""YAML read into plain data that remembers where everything stood.

Nodes are composed, not constructed: a key written twice, an alias or a tag is then one more problem with its
line, not the end of reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode, YAMLError

from dialplans.fields import TypedInt
from dialplans.problems import Finding

Loc = tuple[str | int, ...]
Place = tuple[int, int]  # line, column, both from 1
MAX_DEPTH = 20


@dataclass
class Source:
    """`data` as dicts, lists and scalars; `values` and `keys`: where each path stands; `findings`: what YAML
    itself has against the text."""

    data: object = None
    values: dict[Loc, Place] = field(default_factory=dict)
    keys: dict[Loc, Place] = field(default_factory=dict)
    findings: list[tuple[Place, Finding]] = field(default_factory=list)

    def place(self, loc: Loc, on_key: bool = False) -> Place:
        """Where `loc` stands, or its nearest parent that is written down."""
        if on_key and loc in self.keys:
            return self.keys[loc]
        while loc and loc not in self.values:
            loc = loc[:-1]
        return self.values.get(loc, (1, 1))


# libyaml, many times as fast as Python. What a plain word means is decided below, by YAML 1.2: `yes` and
# `8:30` are words.
_Loader = type("_Loader", (yaml.CSafeLoader,), {"yaml_implicit_resolvers": {}})


_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9_]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?")


def read(text: str) -> Source:
    """Parses one YAML document."""
    source = Source()
    if (line := _deep_line(text)) is not None:
        source.findings.append(((line, 1), _too_deep(())))
        return source
    try:
        node = yaml.compose(text, Loader=_Loader)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source.findings.append((place, _syntax(str(error.problem or error.context or "YAML"))))
        return source
    except YAMLError as error:  # e.g. a control character: no mark, but a position
        position = getattr(error, "position", 0)
        line = text.encode().count(b"\n", 0, position) + 1
        source.findings.append(((line, 1), _syntax(str(error).splitlines()[0])))
        return source
    if node is not None:
        source.data = _plain(node, (), source, set())
    return source


def _deep_line(text: str) -> int | None:
    """The line with which a text nests deeper than libyaml bears (it descends without asking)."""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        depth = max(0, depth + line.count("[") + line.count("{") - line.count("]") - line.count("}"))
        if depth > 200 or len(line) - len(line.lstrip(" -?")) > 400:
            return number
    return None


def _syntax(problem: str) -> Finding:
    return Finding(
        (),
        f"YAMLとして読めません({problem})",
        f"cannot be read as YAML ({problem})",
        "この行と前の行の字下げ、引用符、「: 」(コロンと空白)を確かめてください",
        "check indentation, quotes and “: ” here and on the line before",
    )


def _too_deep(loc: Loc) -> Finding:
    return Finding(
        loc,
        "入れ子が深すぎます",
        "nested too deeply",
        "括弧の閉じ忘れと字下げを確かめてください",
        "check brackets and indentation",
    )


def _place(node: Node) -> Place:
    return (node.start_mark.line + 1, node.start_mark.column + 1)


def _plain(node: Node, loc: Loc, source: Source, seen: set[int]) -> object:
    source.values[loc] = _place(node)
    if id(node) in seen:
        # An alias can make a small file huge (or endless); a site file has no need of them.
        source.findings.append(
            (
                _place(node),
                Finding(
                    loc,
                    "別名(&名前 と *名前)は使えません",
                    "anchors and aliases are not allowed",
                    "値をそのまま書いてください",
                    "write the value out",
                ),
            )
        )
        return None
    seen.add(id(node))
    if len(loc) > MAX_DEPTH:
        source.findings.append((_place(node), _too_deep(loc)))
        return None
    if isinstance(node, MappingNode):
        return _mapping(node, loc, source, seen)
    if isinstance(node, SequenceNode):
        return [_plain(child, (*loc, index), source, seen) for index, child in enumerate(node.value)]
    return _scalar(node, loc, source)


def _mapping(node: MappingNode, loc: Loc, source: Source, seen: set[int]) -> dict[str, object]:
    out: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, ScalarNode) else ""
        place = _place(key_node)
        if not key:
            source.findings.append(
                (place, Finding(loc, "項目名が文字ではありません", "a key must be plain text"))
            )
            continue
        at = (*loc, key)
        if key in out:
            first = source.keys[at][0]
            source.findings.append(
                (
                    place,
                    Finding(
                        at,
                        f"項目「{key}」は{first}行目にもあります",
                        f"key “{key}” already stands on line {first}",
                        "どちらかを消してください",
                        "remove one of them",
                    ),
                )
            )
            continue
        source.keys[at] = place
        out[key] = _plain(value_node, at, source, seen)
        if out[key] is None:  # nothing is written there: it would be the place of what comes next
            source.values[at] = place
    return out


def _scalar(node: Node, loc: Loc, source: Source) -> object:
    text = str(node.value)
    kind = str(node.tag).rsplit(":", 1)[-1]
    if kind == "str" and not node.style:  # plain
        if _NULL.fullmatch(text):
            return None
        if _BOOL.fullmatch(text):
            return text.lower() == "true"
        try:
            if _INT.fullmatch(text):
                return TypedInt(int(text.replace("_", ""), 10), text)
            if _FLOAT.fullmatch(text):
                return float(text.replace("_", ""))
        except ValueError:
            return text
    if kind in ("str", "timestamp", "value"):
        return text
    source.findings.append(
        (
            _place(node),
            Finding(
                loc,
                f"タグ {node.tag} は使えません",
                f"tag {node.tag} is not allowed",
                "消してください",
                "remove it",
            ),
        )
    )
    return None
