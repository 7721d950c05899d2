"""What the commands share: how a state folder, ports and numbers are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from daihyo.settings import StateDir


class StateType(click.ParamType[StateDir, Path]):
    name = "DIR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> StateDir:
        return value if isinstance(value, StateDir) else StateDir(Path(value))


class PortRange(click.ParamType[tuple[int, int], str]):
    name = "A-B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        low, dash, high = str(value).partition("-")
        if not (dash and low.strip().isdecimal() and high.strip().isdecimal()):
            self.fail(
                f"'{value}': 10000-10999 のように書いてください / write it like 10000-10999", param, ctx
            )
        if not 1024 <= int(low) < int(high) <= 65535:
            self.fail(
                f"'{value}': 1024〜65535 の範囲で、小さい方を先に / within 1024-65535, the lower one first",
                param,
                ctx,
            )
        if int(high) - int(low) < 7:
            self.fail(f"'{value}': 狭すぎます / too narrow: one call takes four ports", param, ctx)
        return int(low), int(high)


state_option = click.option(
    "--state", "state", type=StateType(), required=True, help="状態フォルダー / the centre's state folder"
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON で出力 / print JSON")
port = click.IntRange(1, 65535)
