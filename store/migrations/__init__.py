"""Migrations, run by alembic through store/upgrade.py."""
