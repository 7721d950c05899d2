"""What people see: pages, REST and WebSocket API, live board, browser phone, sign-in and rights.

`await run(ConsoleSettings(...))` serves until SIGTERM; `create_app` gives the aiohttp application itself.
`sync_users` and `set_password` are for the worker and the command line.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .accounts import set_password, sync_users
from .settings import ConsoleError, ConsoleSettings

if TYPE_CHECKING:
    from .app import create_app, run

__all__ = ["ConsoleError", "ConsoleSettings", "create_app", "run", "set_password", "sync_users"]

# The application is half a second's loading: the worker, which only keeps the users in line, goes without.
_APPLICATION = ("create_app", "run")


def __getattr__(name: str) -> Any:
    if name not in _APPLICATION:
        raise AttributeError(f"module 'agent_console' has no attribute {name!r}")
    return getattr(importlib.import_module("agent_console.app"), name)
