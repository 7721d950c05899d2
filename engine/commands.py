"""What a command of the control socket is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]


class CommandError(Exception):
    """Refused: `code` for programs, both texts for people."""

    def __init__(self, code: str, message: str, message_en: str) -> None:
        super().__init__(message_en)
        self.code, self.message, self.message_en = code, message, message_en


class Command(BaseModel):
    """The fields of one command, checked."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)


# By name: the fields, and what carries it out.
Commands = dict[str, tuple[type[Command], Callable[[Any], Awaitable[object]]]]
