"""The tables as they are now. A change here needs a new script in ``migrations/versions``; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

HEAD = "0003"  # the newest migration


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """PostgreSQL keeps the zone; SQLite has none to keep."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses a time without a zone (ValueError): it would silently mean another moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be recorded")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# One row. Whoever writes advances it first, and holds it until the commit: so positions appear in the order of
# their commits, in PostgreSQL too, and "everything after position n" never misses a late one.
clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)

interactions = Table(
    "interactions",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("user_id", String),
    Column("conversation_id", String),
    Column("turn", Integer),
    Column("source", String, nullable=False),
    Column("question", Text),
    Column("standalone_question", Text),
    Column("answer_text", Text),
    Column("answer", Text),  # JSON
    Column("mode", String, nullable=False),
    Column("model", String),
    Column("abstained", Boolean, nullable=False),
    Column("policy_version", String, nullable=False),
    Column("latency_ms", Float),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float),
    Column("parent_id", String),  # of the answer whose conversation it goes on with
    Column("options", Text),  # JSON
    Index(None, "user_id", "conversation_id", "turn"),
)

exposures = Table(
    "exposures",
    metadata,
    Column("interaction", ForeignKey("interactions.position", ondelete="CASCADE"), primary_key=True),
    Column("paper_id", String, primary_key=True),
    Column("rank", Integer),
    Column("score", Float),
    Column("shown_at", Integer),  # position on the screen, from 1
    Column("cited", Boolean, nullable=False),
    Column("scores", Text),  # JSON, by stage
)

feedback = Table(
    "feedback",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False),
    Column("interaction", ForeignKey("interactions.position", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", String, index=True),
    Column("kind", String, nullable=False),
    Column("value", Text),
    Column("number", Float),
    Column("paper_id", String),
)

conversations = Table(
    "conversations",
    metadata,
    Column("user_id", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("title", Text),  # as renamed
    Column("started", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("deleted", UtcTime),  # a late answer must not bring a deleted conversation back
    Column("current", String),  # id of the answer that was asked for or looked at last
    Column("revision", Integer, nullable=False, server_default="0"),  # grows with every change
    Column("hidden", UtcTime),  # since then it waits to be deleted, and can be restored
)
