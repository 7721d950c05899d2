"""Site files for tests: short texts, short times, as many operators as wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

NUMBER, OTHER_NUMBER = "0246221111", "0246221200"


def site(operators: int = 2, supervisors: int = 0, **changes: Any) -> dict[str, Any]:
    """A small centre. `supervisors`: 1901, 1902, …, with a phone and without queues. `changes` go into the
    queue `main` (ring_timeout_s, wrap_up_s, …) or, as `kpi=…`, `wording=…`, into the site."""
    queue = {
        "id": "main",
        "name": "総合案内",
        "ring_timeout_s": 10,
        "wrap_up_s": 0,
        "waiting_announcement": "お待ちください。",
        "waiting_announcement_every_s": 10,
    }
    made: dict[str, Any] = {
        "city": "みなと市",
        "centre": "みなと市コールセンター",
        "id": "minato",
        "numbers": [
            {
                "number": number,
                "name": name,
                "queue": "main",
                "greeting": "みなと市です。",
                "recording_notice": "録音します。",
            }
            for number, name in (("0246-22-1111", "市代表"), ("0246-22-1200", "ごみ相談"))
        ],
        "operators": [
            {"id": str(1001 + n), "name": f"操作者{n + 1:02}", "queues": ["main"]} for n in range(operators)
        ]
        + [{"id": str(1901 + n), "name": f"監督{n + 1:02}"} for n in range(supervisors)],
        "users": [
            {
                "login": f"op{n + 1:02}",
                "name": f"操作者{n + 1:02}",
                "role": "operator",
                "operator": str(1001 + n),
            }
            for n in range(operators)
        ]
        + [
            {"login": f"sv{n + 1:02}", "name": "監督", "role": "supervisor"}
            | ({"operator": str(1901 + n)} if n < supervisors else {})
            for n in range(max(1, supervisors))
        ],
        "trunks": [{"id": "test", "addresses": ["127.0.0.0/8"]}],
        "wording": {"survival_greeting": "ただいまおつなぎします。"},
    }
    for key in ("kpi", "wording", "numbers", "users"):
        if key in changes:
            made[key] = changes.pop(key)
    queue.update(changes)
    made["queues"] = [queue]
    return made


def write_site(path: Path, content: dict[str, Any]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(content, file)
    return path
