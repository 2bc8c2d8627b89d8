"""The one object through which the rest of Readback records, reads and deletes events."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from rag.events import conversations, export, ingest, privacy, reading
from rag.events.database import Database, unavailable
from rag.events.errors import EventRefused, EventsUnavailable
from rag.events.export import Format
from rag.events.feedback import checked_id, checked_kind, checked_value, storable
from rag.events.ingest import Asked, Scores
from rag.events.migrate import migrate
from rag.events.records import (
    Conversation,
    ConversationSummary,
    Counts,
    Episode,
    Feedback,
    Health,
    Kind,
    Source,
    Stats,
)
from rag.events.schema import interactions
from rag.events.writer import Writer
from rag.types import Answer, Options

WAIT_S = 10.0  # for interactions that are still on their way, before feedback on them is given up
UNDO_S = 60.0  # how long a hidden conversation can be restored, at least
TIDY_EVERY_S = 86_400.0  # with a retention, old events go at the start and then once a day
DEFAULT = Options()


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class EventStore:
    """The append-only record of questions, answers and what people did with them. Safe to use from many threads.

    Several processes may use the same database at once. Methods that name a ``user`` never show or touch
    anything of another. All raise EventsUnavailable when the database cannot be used; ``record`` raises nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        keep_questions: bool,
        retention_days: float | None,
        queue_size: int,
        retry_s: float,
        clock: Callable[[], datetime],
        gone: privacy.Gone,
    ) -> None:
        """Use ``EventStore.open``."""
        self._database, self._keep_questions, self._clock = database, keep_questions, clock
        self._gone = gone

        def write(batch: Sequence[Asked]) -> None:
            with database.write() as connection:
                ingest.write_interactions(connection, batch, keep_texts=keep_questions)

        def tidy() -> None:
            self.delete_hidden()
            if retention_days is not None:
                privacy.purge_before(database, clock() - timedelta(days=retention_days), gone)

        self._writer = Writer(write, size=queue_size, retry_s=retry_s, chore=tidy, chore_every_s=TIDY_EVERY_S)
        self._closing = weakref.finalize(self, _shut, self._writer, database)  # at exit too, if nobody closes it

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        keep_questions: bool = True,
        retention_days: float | None = None,
        queue_size: int = 2_000,
        busy_timeout_s: float = 10.0,
        retry_s: float = 30.0,
        clock: Callable[[], datetime] = utc_now,
        gone: privacy.Gone = lambda _: None,
    ) -> EventStore:
        """Open the record, creating it or bringing it to the newest schema as needed.

        where: a SQLite file, or a URL (``sqlite:///…``, ``postgresql://…``). keep_questions: whether questions,
        answers, comments and other words of people are stored; without, ids, papers, scores and signals are.
        retention_days: events older than this are deleted, at the start and daily. queue_size: interactions that
        may wait to be written. busy_timeout_s: how long a write waits for another process. retry_s: how long an
        interaction is tried again while the database is away. clock: returns an aware time; for tests. gone: told the
        texts that are about to be deleted, so that what was made of them can be deleted too.
        Raises EventError if this is no record of events or a newer one, EventsUnavailable if it cannot be reached.
        """
        privacy.check_days(retention_days)
        database = Database(where, busy_timeout_s=busy_timeout_s)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(
            database,
            keep_questions=keep_questions,
            retention_days=retention_days,
            queue_size=queue_size,
            retry_s=retry_s,
            clock=clock,
            gone=gone,
        )

    def record(
        self,
        answer: Answer,
        *,
        user: str,
        source: Source,
        conversation: str | None = None,
        turn: int = 1,
        shown: Sequence[str] | None = None,
        scores: Scores | None = None,
        latency_ms: float | None = None,
        at: datetime | None = None,
        parent: str | None = None,
        options: Options = DEFAULT,
    ) -> Future[None]:
        """Hand an interaction to the background writer. Returns at once and never raises; losses show in ``health``.

        The future is done when the interaction is on disk, and fails with an EventError if it never will be.
        user: pseudonymous id. turn: from 1. parent: id of the answer that it follows; None for the newest of the turn
        before. Asking a turn again adds a version, which becomes the current one. options: how it was steered.
        shown: ids of the papers that were visible, in order; None for those cited or, if abstaining, the closest ones.
        scores: paper id -> stage -> score. scores, latency_ms: None for the answer's own.
        """
        seen, now = None if shown is None else tuple(shown), self._clock() if at is None else at
        return self._writer.put(
            Asked(answer, user, conversation, turn, seen, scores, source, latency_ms, now, parent, options)
        )

    def feedback(
        self,
        interaction_id: str,
        *,
        user: str,
        kind: Kind | str,
        value: str | float | None = None,
        paper_id: str | None = None,
        id: str | None = None,
    ) -> Feedback:
        """Store what a person did with an answer; when this returns it is on disk.

        See ``rag.events.feedback.RULES`` for kinds and values. id: chosen by the caller, so that sending twice
        stores once; None makes one. Raises EventRefused for an unknown kind, value or paper, and EventUnknown if
        this user has no such interaction.
        """
        known = checked_kind(kind)
        checked = checked_value(known, value)
        if paper_id is not None:
            checked_id("paper", paper_id)
        checked_id("feedback", id := uuid.uuid4().hex if id is None else id)
        checked_id("user", user)
        if not self._writer.wait(WAIT_S):
            raise EventsUnavailable(unavailable(self.health().trouble or ""))
        with self._database.write() as connection:
            return ingest.write_feedback(
                connection,
                storable(interaction_id),
                id=id,
                user=user,
                kind=known,
                value=checked,
                paper_id=paper_id,
                at=self._clock(),
                keep_texts=self._keep_questions,
            )

    # a person's conversations

    def conversations(
        self, user: str, search: str = "", *, limit: int = 200, offset: int = 0
    ) -> list[ConversationSummary]:
        """The user's conversations, last used first; with ``search``, those that hold all its words somewhere."""
        self._writer.wait(WAIT_S)
        with self._database.read() as connection:
            return conversations.summaries(connection, user, search, limit, offset)

    def conversation(self, user: str, conversation: str) -> Conversation:
        """One conversation in full. Raises EventUnknown if this user has no such one."""
        self._writer.wait(WAIT_S)
        with self._database.read() as connection:
            return conversations.read(connection, user, storable(conversation))

    def rename_conversation(self, user: str, conversation: str, title: str) -> None:
        """Give it another title. Raises EventUnknown; EventRefused for an unfit title, or where no texts are kept."""
        if not self._keep_questions:
            raise EventRefused("This Readback keeps no words of its users, so a conversation cannot have a title.")
        self._writer.wait(WAIT_S)
        with self._database.write() as connection:
            conversations.rename(connection, user, storable(conversation), title)

    def choose_version(self, user: str, conversation: str, answer_id: str) -> None:
        """Make this answer, and what followed it, the current turns of the conversation. Raises EventUnknown."""
        self._writer.wait(WAIT_S)
        with self._database.write() as connection:
            conversations.choose(connection, user, storable(conversation), storable(answer_id))

    def hide_conversation(self, user: str, conversation: str) -> None:
        """Take it out of sight. ``delete_hidden`` deletes it later unless it is restored. Raises EventUnknown."""
        self._writer.wait(WAIT_S)
        with self._database.write() as connection:
            conversations.hide(connection, user, storable(conversation), self._clock())

    def restore_conversation(self, user: str, conversation: str) -> None:
        """Bring a hidden one back. Raises EventUnknown if it has been deleted meanwhile."""
        with self._database.write() as connection:
            conversations.restore(connection, user, storable(conversation))

    def delete_hidden(self) -> int:
        """Delete what was hidden a minute ago or earlier, for good; returns how many conversations. Also done daily."""
        with self._database.read() as connection:
            waiting = conversations.hidden(connection)
        if not waiting:
            return 0
        now = self._clock()
        due = [one for one in waiting if now - one[2] > timedelta(seconds=UNDO_S)]
        with self._database.write() as connection:
            for one in due:
                if one in conversations.hidden(connection):  # not restored meanwhile
                    conversations.delete(connection, *one[:2], now, self._gone)
        self._database.scrub()
        return len(due)

    def delete_conversation(self, user: str, conversation: str) -> Counts:
        """Delete its questions, answers, comments and edits, for good.

        What learning needs stays, tied to nobody: papers, positions, scores and feedback without words. An answer that
        is still on its way is treated likewise. Raises EventUnknown.
        """
        self._writer.wait(WAIT_S)
        with self._database.write() as connection:
            counts = conversations.delete(connection, user, storable(conversation), self._clock(), self._gone)
        self._database.scrub()
        return counts

    # reading, for learners and reports

    def position(self) -> int:
        """The position of the newest event, 0 before the first: remember it, and later ask what came after."""
        with self._database.read() as connection:
            return reading.position(connection)

    def episodes(self, since: int = 0, until: int | None = None) -> Iterator[Episode]:
        """Interactions that happened or got feedback after position ``since``, up to ``until`` (None: up to now).

        Oldest interaction first, each with its feedback up to ``until``: an old one comes again with what is new about
        it. Positions grow in the order of commits, across processes, so nothing is missed.
        """
        return reading.episodes(self._database, since, until)

    def interaction(self, id: str, *, user: str | None = None) -> Episode | None:
        """One interaction by the id of its answer, or None; with ``user``, only if it is theirs."""
        self._writer.wait(WAIT_S)
        wanted = [interactions.c.id == storable(id)]
        if user is not None:
            wanted.append(interactions.c.user_id == user)
        with self._database.read() as connection:
            return next(iter(reading.select_episodes(connection, *wanted)), None)

    def newest(self) -> Episode | None:
        """The interaction that was recorded last, or None."""
        with self._database.read() as connection:
            last = interactions.c.position == select(func.max(interactions.c.position)).scalar_subquery()
            return next(iter(reading.select_episodes(connection, last)), None)

    def stats(self) -> Stats:
        """Sums over everything stored."""
        with self._database.read() as connection:
            return reading.stats(connection)

    # handing over and deleting

    def export(self, folder: str | Path, format: Format | str = "jsonl", *, user: str | None = None) -> list[Path]:
        """Write interactions, feedback and conversations to files in the folder and return their paths.

        format: ``jsonl`` or ``parquet``. user: only this person's. Raises EventRefused for another format.
        """
        self._writer.wait(WAIT_S)
        return export.files(self._database, Path(folder), format, user)

    def export_lines(self, *, user: str | None = None) -> Iterator[str]:
        """The same as one stream of JSON lines, each with its ``type``; without line ends."""
        self._writer.wait(WAIT_S)
        return export.lines(self._database, user)

    def forget(self, user: str) -> Counts:
        """Delete everything about this person and say how much it was. ``export(user=…)`` first to hand it over."""
        self._writer.wait(WAIT_S)
        with self._database.write() as connection:
            counts = privacy.forget(connection, user, self._gone)
        self._database.scrub()
        return counts

    def purge(self, older_than_days: float) -> Counts:
        """Delete interactions older than that, with all feedback on them, and say how much it was.

        Raises EventRefused unless the number of days is positive.
        """
        privacy.check_days(older_than_days)
        return privacy.purge_before(self._database, self._clock() - timedelta(days=older_than_days), self._gone)

    def health(self) -> Health:
        """How the background writer does: what waits, what was written, what was lost and why."""
        return self._writer.health()

    def check(self, *, thorough: bool = False) -> None:
        """Raise EventError if the record cannot be read, or what happens is being lost.

        thorough: look at the whole of a SQLite file.
        """
        self._database.check(thorough=thorough)
        trouble = self.health().trouble
        if trouble is not None:
            raise EventsUnavailable(f"Answers are given, but cannot be recorded ({trouble}).")

    def flush(self, timeout_s: float = WAIT_S) -> bool:
        """Wait until all interactions so far are written or given up; whether that was in time."""
        return self._writer.wait(timeout_s)

    def close(self) -> None:
        """Write what waits and let go of the database. Happens at exit by itself; doing it again is fine."""
        self._closing()

    def __enter__(self) -> EventStore:
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _shut(writer: Writer[Asked], database: Database) -> None:
    """Drain the writer, then let go of the database."""
    writer.close()
    database.close()
