"""Conversations that can be renamed and deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Create the table, with a row for every conversation that the interactions know of."""
    moment = sa.DateTime(timezone=op.get_bind().dialect.name != "sqlite")
    op.create_table(
        "conversations",
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("started", moment, nullable=False),
        sa.Column("updated", moment, nullable=False),
        sa.Column("deleted", moment),
        sa.PrimaryKeyConstraint("user_id", "id", name="pk_conversations"),
    )
    op.execute(
        "INSERT INTO conversations (user_id, id, started, updated)"
        " SELECT user_id, conversation_id, min(at), max(at) FROM interactions"
        " WHERE user_id IS NOT NULL AND conversation_id IS NOT NULL GROUP BY user_id, conversation_id"
    )
