"""Runs migrations on the database that `migrate.py` names: all of them in one transaction, so a kill leaves none."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection

from mangadex_server.tables import metadata

BUSY_MS = 600_000
"""Another program may be migrating, and a large database takes it minutes."""

engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver would begin after the first changes of tables
        dbapi.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


MIGRATING = 0x6D616E6761
"""Of the lock that one node has while it migrates."""

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=MIGRATING))
        context.run_migrations()  # from the version that it reads here, inside
engine.dispose()
