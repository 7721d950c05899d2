"""`daihyo status`: what runs on a state folder, and how the engine is."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from daihyo.control import EngineGone, EngineSilent, ask
from daihyo.settings import Runtime, StateDir, UserError


async def status(state: StateDir) -> dict[str, Any]:
    """`well`: everything runs. `lines`: name and text for people. `live`: counts, or null."""
    runtime = Runtime.load(state)
    lines: list[tuple[str, str]] = []
    well = True
    for name in ("up", "asterisk", "engine", "console", "worker"):
        pid = runtime.pids.get(name)
        alive = pid is not None and _alive(pid)
        well = well and alive
        lines.append((name, f"動作中 / runs, pid {pid}" if alive else "停止 / does not run"))
    counts: dict[str, Any] | None = None
    try:
        live = await ask(state.control_socket, "live")
        counts = {
            "switch": bool(live["switch"]["connected"]),
            "calls": dict(Counter(call["phase"] for call in live["calls"])),
            "operators": dict(Counter(one["state"] for one in live["operators"])),
        }
        well = well and counts["switch"]
        if (version := (live.get("plan") or {}).get("version")) is not None:
            counts["plan"] = version
            lines.append(("plan", f"版 / version {version}"))
        for title, kind in (("calls", "calls"), ("operators", "operators")):
            text = ", ".join(f"{key} {number}" for key, number in sorted(counts[kind].items())) or "0"
            lines.append((title, text))
        lines.append(("switch", "接続 / connected" if counts["switch"] else "切断 / away"))
    except (EngineGone, EngineSilent, UserError) as error:
        well = False
        lines.append(("engine", f"応答なし / {error}"))
    lines += [("web", runtime.web), ("sip", runtime.sip)]
    return {
        "well": well,
        "pids": runtime.pids,
        "web": runtime.web,
        "sip": runtime.sip,
        "live": counts,
        "lines": lines,
    }


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
