"""Interactions, the papers in them, and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create the tables and start the clock."""
    moment = sa.DateTime(timezone=op.get_bind().dialect.name != "sqlite")
    clock = op.create_table(
        "clock",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clock"),
    )
    op.bulk_insert(clock, [{"id": 1, "position": 0}])
    op.create_table(
        "interactions",
        sa.Column("position", sa.BigInteger, autoincrement=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("user_id", sa.String),
        sa.Column("conversation_id", sa.String),
        sa.Column("turn", sa.Integer),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("question", sa.Text),
        sa.Column("standalone_question", sa.Text),
        sa.Column("answer_text", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("model", sa.String),
        sa.Column("abstained", sa.Boolean, nullable=False),
        sa.Column("policy_version", sa.String, nullable=False),
        sa.Column("latency_ms", sa.Float),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float),
        sa.PrimaryKeyConstraint("position", name="pk_interactions"),
        sa.UniqueConstraint("id", name="uq_interactions_id"),
    )
    op.create_index("ix_interactions_at", "interactions", ["at"])
    op.create_index(
        "ix_interactions_user_id_conversation_id_turn", "interactions", ["user_id", "conversation_id", "turn"]
    )
    op.create_table(
        "exposures",
        sa.Column("interaction", sa.BigInteger, nullable=False),
        sa.Column("paper_id", sa.String, nullable=False),
        sa.Column("rank", sa.Integer),
        sa.Column("score", sa.Float),
        sa.Column("shown_at", sa.Integer),
        sa.Column("cited", sa.Boolean, nullable=False),
        sa.Column("scores", sa.Text),
        sa.PrimaryKeyConstraint("interaction", "paper_id", name="pk_exposures"),
        sa.ForeignKeyConstraint(
            ["interaction"], ["interactions.position"], name="fk_exposures_interaction", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "feedback",
        sa.Column("position", sa.BigInteger, autoincrement=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("interaction", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.String),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("number", sa.Float),
        sa.Column("paper_id", sa.String),
        sa.PrimaryKeyConstraint("position", name="pk_feedback"),
        sa.UniqueConstraint("id", name="uq_feedback_id"),
        sa.ForeignKeyConstraint(
            ["interaction"], ["interactions.position"], name="fk_feedback_interaction", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_feedback_interaction", "feedback", ["interaction"])
    op.create_index("ix_feedback_user_id", "feedback", ["user_id"])
