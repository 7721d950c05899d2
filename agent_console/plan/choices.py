"""What the selects of forms choose from: made from the text as it stands, wrong or right."""

from __future__ import annotations

from dialplans import STATES

from ..texts import Texts
from .document import Document, Plain
from .forms import Field, Kind

Choice = tuple[str, str]  # value, words
Group = tuple[str, list[Choice]]


def groups_of(field: Field, document: Document, value: Plain, texts: Texts) -> list[Group]:
    """The choices of a field in groups. A value that is not among them is offered as it stands: opening a
    form changes nothing."""
    if field.kind in (Kind.TARGET, Kind.GO):
        groups = targets(document, texts)
        if field.kind is Kind.GO:
            groups.append(("", [(word, texts(f"plan.go.{word}")) for word in ("repeat", "back")]))
    elif field.kind is Kind.NUMBERS:
        groups = [("", [(str(n.get("number")), str(n.get("name"))) for n in document.rows("numbers")])]
    else:
        groups = [("", _choices(field.of, document, texts))]
    known = {one for _, choices in groups for one, _ in choices}
    if isinstance(value, str) and value and value not in known:
        groups.append(("", [(value, texts("plan.unknown_choice", value=value))]))
    return groups


def targets(document: Document, texts: Texts) -> list[Group]:
    """Where a call may go on."""
    return [
        (texts("plan.section.steps"), _named(document, "steps")),
        (texts("plan.section.queues"), _named(document, "queues", "queue:")),
        (texts("plan.section.forwards"), _named(document, "forwards", "forward:")),
        ("", [("hangup", texts("plan.box.hangup"))]),
    ]


def target_name(document: Document, target: str, texts: Texts) -> str:
    """A target as people call it."""
    for _, choices in targets(document, texts):
        for value, words in choices:
            if value == target:
                return words
    return target


def boards(document: Document) -> list[str]:
    """The boards that are in use."""
    named = [str(row.get("board") or "main") for row in (*document.rows("events"), *document.rows("steps"))]
    return sorted({"main", *named})


def states(document: Document) -> list[Choice]:
    """The states that events may have: the built-in ones, then the site's own."""
    known = {one.id: one.name for one in STATES}
    known |= {str(row.get("id")): str(row.get("name")) for row in document.rows("event_states")}
    return list(known.items())


def _choices(of: str, document: Document, texts: Texts) -> list[Choice]:
    match of:
        case "ja|en":
            return [(word, texts(f"language.{word}")) for word in of.split("|")]
        case "keypad":
            return [(key, key) for key in "1234567890*#"]
        case "callbacks":
            offers = [
                row for row in document.rows("steps") if row.get("kind") == "callback" and row.get("id")
            ]
            return [(str(row["id"]), str(row.get("name") or row["id"])) for row in offers]
        case "trunks_out":
            return [
                (str(row.get("id")), str(row.get("id")))
                for row in document.rows("trunks")
                if row.get("outbound")
            ]
        case _ if of.startswith("longest_idle|"):
            return [(word, texts(f"plan.strategy.{word}")) for word in of.split("|")]
        case "states":
            return states(document)
        case "musics":
            return [("default", texts("plan.music_default")), *_named(document, "musics")]
        case "trunks":
            return [(str(row.get("id")), str(row.get("id"))) for row in document.rows("trunks")]
    return _named(document, of)


def _named(document: Document, section: str, before: str = "") -> list[Choice]:
    return [
        (before + str(row["id"]), str(row.get("name") or row["id"]))
        for row in document.rows(section)
        if row.get("id")
    ]
