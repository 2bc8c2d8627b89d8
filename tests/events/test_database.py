"""Opening: new, old, foreign and broken databases, and the schema that all of them end up with."""

from __future__ import annotations

import ast
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import rag.events
from rag.events import EventError, EventStore, EventsUnavailable
from rag.events.database import Database
from rag.events.migrate import SCRIPTS, VERSION_TABLE, migrate, revision
from rag.events.schema import HEAD, metadata

from .samples import an_answer

OLD_ROWS = """
    INSERT INTO interactions (position, id, at, user_id, conversation_id, turn, source, question, mode, abstained,
                              policy_version, prompt_tokens, completion_tokens)
    VALUES (1, 'old1', '2025-05-01 10:00:00.000000', 'ada', 'c1', 1, 'page', 'Old question?', 'extractive', {no},
            'base', 0, 0),
           (2, 'old2', '2025-05-01 10:05:00.000000', 'ada', 'c1', 2, 'page', 'And?', 'extractive', {no}, 'base', 0, 0),
           (3, 'old3', '2025-05-01 11:00:00.000000', 'bob', NULL, NULL, 'cli', 'Alone?', 'extractive', {no},
            'base', 0, 0);
    INSERT INTO exposures (interaction, paper_id, rank, score, shown_at, cited) VALUES (1, 'p1', 1, 0.5, 1, {yes});
    INSERT INTO feedback (position, id, at, interaction, user_id, kind, value)
    VALUES (4, 'f1', '2025-05-01 10:01:00.000000', 1, 'ada', 'answered', 'yes');
    UPDATE clock SET position = 4;
"""


def test_the_tables_are_what_the_program_expects(where: str) -> None:
    EventStore.open(where).close()
    database = Database(where)
    with database.read() as connection:
        assert revision(connection) == HEAD
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_the_newest_migration_is_the_one_the_program_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    numbers = [script.revision for script in scripts.walk_revisions()]
    assert numbers == sorted(numbers, reverse=True)


def test_an_old_record_is_brought_up_to_date_and_keeps_what_it_holds(where: str) -> None:
    old = Database(where)
    migrate(old, "0001")
    with old.write() as connection:
        for statement in OLD_ROWS.format(**old_booleans(old)).split(";")[:-1]:
            connection.exec_driver_sql(statement)
    old.close()
    with EventStore.open(where) as store:
        (summary,) = store.conversations("ada")
        assert (summary.id, summary.title) == ("c1", "Old question?")
        assert (summary.started.isoformat(), summary.updated.isoformat()) == (
            "2025-05-01T10:00:00+00:00", "2025-05-01T10:05:00+00:00",
        )  # fmt: skip
        first, second = store.conversation("ada", "c1").turns
        assert [feedback.value for feedback in first.feedback] == ["yes"]
        assert [paper.paper_id for paper in first.interaction.papers] == ["p1"]
        assert second.interaction.question == "And?"
        store.record(an_answer(), user="ada", source="page", conversation="c1", turn=3)
        assert store.feedback("old3", user="bob", kind="answered", value="no").position > 4
        assert len(store.conversation("ada", "c1").turns) == 3


def test_a_migration_that_fails_leaves_the_old_record_as_it_was(where: str) -> None:
    old = Database(where)
    migrate(old, "0001")
    with old.write() as connection:
        connection.exec_driver_sql("CREATE TABLE conversations (in_the_way INTEGER)")
    with pytest.raises(EventError):
        EventStore.open(where)
    with old.write() as connection:
        assert revision(connection) == "0001"
        connection.exec_driver_sql("DROP TABLE conversations")
    old.close()
    EventStore.open(where).close()


def test_a_newer_record_is_left_alone(where: str) -> None:
    EventStore.open(where).close()
    database = Database(where)
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    database.close()
    with pytest.raises(EventError, match="newer Readback"):
        EventStore.open(where)


def test_a_sqlite_record_is_private_durable_and_shared(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "events.db"
    with EventStore.open(file) as store:
        store.record(an_answer(), user="ada", source="page")
        assert store.flush()
        assert {path.stat().st_mode & 0o777 for path in file.parent.iterdir()} == {0o600}
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database = Database(file)
    with database.read() as connection2:
        assert connection2.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"
        assert connection2.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


def test_a_url_may_name_a_file_too(tmp_path: Path) -> None:
    EventStore.open(f"sqlite:///{tmp_path}/events.db").close()
    assert (tmp_path / "events.db").is_file()


@pytest.mark.parametrize(
    "where", ["", ":memory:", "sqlite://", "mysql://u:secret@h/d", "postgresql://u:secret@h:port/d"]
)
def test_what_is_no_record_of_ours_is_refused_without_showing_a_password(where: str) -> None:
    with pytest.raises(EventError) as caught:
        EventStore.open(where)
    assert "secret" not in str(caught.value)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    file.write_text("This is a letter to my aunt. " * 100)
    with pytest.raises(EventError, match="no SQLite file"):
        EventStore.open(file)
    assert file.read_text().startswith("This is a letter")
    with pytest.raises(EventsUnavailable, match="cannot be written"):
        EventStore.open(tmp_path)


def test_a_server_that_is_away_is_unavailable(postgres: str) -> None:
    with pytest.raises(EventsUnavailable, match="try again") as caught:
        EventStore.open(postgres.rsplit(":", 1)[0] + ":1/postgres")  # nothing listens on port 1
    assert postgres.split(":")[2].split("@", maxsplit=1)[0] not in str(caught.value)


def test_lost_connections_are_replaced(new_postgres: Callable[[], str]) -> None:
    url = new_postgres()
    with EventStore.open(url) as store:
        store.record(an_answer(), user="ada", source="page")
        assert store.flush()
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert store.feedback("a1", user="ada", kind="answered", value="yes")
        assert store.health().ok


def test_importing_the_records_brings_no_database() -> None:
    program = (
        "import sys, rag.events; rag.events.Feedback; heavy = {'sqlalchemy', 'alembic', 'pyarrow'} & set(sys.modules);"
        "assert not heavy, heavy; rag.events.EventStore; assert 'alembic' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, cwd=Path(__file__).parents[2], timeout=60
    )


def test_the_public_names() -> None:
    assert rag.events.__all__ == sorted(rag.events.__all__)
    assert all(getattr(rag.events, name) for name in rag.events.__all__)
    with pytest.raises(AttributeError):
        rag.events.nonsense  # noqa: B018


def test_released_migrations_depend_on_nothing_that_changes() -> None:
    for script in (SCRIPTS / "versions").glob("v*.py"):
        tree = ast.parse(script.read_text("utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not any(module and module.startswith("rag") for module in imported), script


def old_booleans(database: Database) -> dict[str, str]:
    return {"yes": "1", "no": "0"} if database.is_sqlite else {"yes": "true", "no": "false"}
