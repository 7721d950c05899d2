"""What people see: pages, REST and WebSocket API, live board, browser phone, sign-in and rights.

`await run(ConsoleSettings(...))` serves until SIGTERM; `create_app` gives the aiohttp application itself.
`sync_users` and `set_password` are for the command line.
"""

from .accounts import set_password, sync_users
from .app import create_app, run
from .settings import ConsoleError, ConsoleSettings

__all__ = ["ConsoleError", "ConsoleSettings", "create_app", "run", "set_password", "sync_users"]
