"""The public API under /api/v1 and its document. `api.routes()` is the table both are made from."""

from .registry import Operation, add_routes, openapi
from .table import OPERATIONS

__all__ = ["OPERATIONS", "Operation", "add_routes", "openapi"]
