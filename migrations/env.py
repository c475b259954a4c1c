"""Alembic's entry: runs on the connection that engage.db.migrate hands over, with a lock time-out."""

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
# A migration that waits for a lock blocks every later query on that table: rather fail and be run again.
connection.execute(text("SET lock_timeout = '5s'"))
connection.commit()
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
