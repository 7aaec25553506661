"""Runs, events and releases in SQLite or PostgreSQL."""

from .errors import StoreError
from .store import SqlRunStore, open_store

__all__ = ["SqlRunStore", "StoreError", "open_store"]
