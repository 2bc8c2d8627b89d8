"""Turns with versions: what each question followed, how it was steered, and which version is shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Add the columns. Older turns follow the newest one before them: see ``rag.events.tree``."""
    moment = sa.DateTime(timezone=op.get_bind().dialect.name != "sqlite")
    op.add_column("interactions", sa.Column("parent_id", sa.String))
    op.add_column("interactions", sa.Column("options", sa.Text))
    op.add_column("conversations", sa.Column("current", sa.String))
    op.add_column("conversations", sa.Column("revision", sa.Integer, nullable=False, server_default="0"))
    op.add_column("conversations", sa.Column("hidden", moment))
