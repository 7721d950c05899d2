from hypothesis import HealthCheck, settings

from tests.support.databases import database_url, store

__all__ = ["database_url", "store"]

# How long an example takes says more about the machine than about us.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
