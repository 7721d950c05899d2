"""YAML read into plain data that remembers where everything stood.

Nodes are composed, not constructed: a key written twice, an alias or a tag is then one more problem with its
line, not the end of reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

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


def read(text: str) -> Source:
    """Parses one YAML document."""
    source = Source()
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH + 10  # far below Python's own limit
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        deep = isinstance(error, MaxDepthExceededError)
        one = _too_deep(()) if deep else _syntax(str(error.problem or error.context or "YAML"))
        source.findings.append((place, one))
        return source
    except YAMLError as error:  # e.g. a control character: no mark, but a position
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        source.findings.append(((line, 1), _syntax(str(error).splitlines()[0])))
        return source
    if node is not None:
        source.data = _plain(node, (), source, set())
    return source


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
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        try:
            return TypedInt(int(text.replace("_", ""), 10), text)
        except ValueError:
            return text  # 0x1f and the like: nobody means that here
    if kind == "float":
        try:
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
