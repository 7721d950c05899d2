from tests.support.databases import database_url, store
from tests.unit.daihyo.command_line import daihyo

__all__ = ["daihyo", "database_url", "store"]
