"""Tortoise's connection to PostgreSQL, for reading: the same URL as the door's, in every word of it."""

from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from maild.store.door_postgres import CONNECTIONS, PATIENCE_SECONDS, SETTINGS, Plain


class Reader(AsyncpgDBClient):
    """A pool that cannot write past the door."""

    async def create_pool(self, **kwargs: Any) -> Any:  # noqa: ARG002 - the URL says it all
        """Connect."""
        return await asyncpg.create_pool(
            self.extra["url"],
            min_size=1,
            max_size=CONNECTIONS,
            timeout=PATIENCE_SECONDS / 3,
            command_timeout=PATIENCE_SECONDS,
            statement_cache_size=512,
            connection_class=Plain,
            server_settings={**SETTINGS, "application_name": "maild-reads", "default_transaction_read_only": "on"},
        )


client_class = Reader
