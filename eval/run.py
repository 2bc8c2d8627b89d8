"""Questions × systems → a stored run. Interrupted, it goes on where it stopped; a crash is a result, not an end."""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from eval.baselines import Bm25, EmbedderAlone, FirstAbstract, LlamaIndexCitations, LlamaIndexStarter, System
from eval.collection import prepare
from eval.config import BM25, CITATIONS, EMBEDDER, READBACK, STARTER, SYSTEMS, Config, public
from eval.gold import GOLD, STANDALONE, Dataset, GoldQuestion, Item, expand, load_gold
from eval.goldcheck import gold_hash
from eval.graded import Graded
from eval.measures import score
from eval.provenance import code_version, commit, corpus_hash, digest, measures_version, versions
from eval.results import META, AnswerCache, Row, Run
from eval.summary import summarise
from rag.collection import Collection
from rag.corpus import read
from rag.embed import open_embedder
from rag.engine import Assistant
from rag.errors import SettingsError
from rag.settings import Settings, shipped_corpus
from rag.types import Answer, Paper

log = logging.getLogger(__name__)
WITH_A_SERVER = 4  # questions in the air at once, where most of the time is spent waiting
OWN = "gold"  # our own questions
HOME, CACHE = "eval", "cache"  # folders: in the data folder, and in the former


class Readback:
    """Readback as one of the systems."""

    name = READBACK

    def __init__(self, assistant: Assistant, decided_by: str) -> None:
        """decided_by: hash of the settings and the collection."""
        self._assistant = assistant
        self.costly = assistant.settings.writes
        self._decided_by = decided_by

    @property
    def fingerprint(self) -> str:
        """Of all of Readback's code, the settings and the collection."""
        return digest(self.name, code_version(), self._decided_by)

    def answer(self, turns: Sequence[str]) -> Answer:
        """Ask all turns as one conversation; the last answer counts."""
        chat = self._assistant.conversation()
        *_, last = [chat.ask(turn) for turn in turns]
        return last


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything an evaluation asks, and of whom."""

    config: Config
    settings: Settings  # of the evaluation's own collection
    home: Path  # <data folder>/eval
    questions: tuple[GoldQuestion, ...]
    papers: tuple[Paper, ...]
    gold: str  # hash of all questions of the split
    dataset: str  # OWN, or the name of other people's questions
    assistant: Assistant
    systems: tuple[System, ...]

    @property
    def run(self) -> Run:
        """Where the results are, or will be: named by all that decides them."""
        decided_by = [system.fingerprint for system in self.systems]
        key = digest(self.config.hash(self.settings), self.gold, corpus_hash(self.papers), *decided_by)
        name = self.config.split if self.dataset == OWN else re.sub(r"\W+", "-", self.dataset)
        return Run(self.home / f"{name}-{key[:10]}")

    @property
    def items(self) -> list[Item]:
        """All that is asked of each system."""
        return [
            item
            for question in self.questions
            for item in expand(question, standalone=True)
            if self.config.phrasings or item.asker in (None, STANDALONE)
        ]


@contextmanager
def open_setup(
    config: Config,
    settings: Settings,
    *,
    gold: Path = GOLD,
    papers: Sequence[Paper] | None = None,
    others: Dataset | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Setup]:
    """Load the questions, index the collection, start the systems; all is closed at the end.

    papers: the shipped corpus if not given. others: other people's questions and papers, in the place of ours.
    Raises SettingsError for a system that cannot run, CorpusError.
    """
    home = settings.data_dir / HOME
    questions: Sequence[GoldQuestion]
    if others is not None:
        papers, questions = others.papers, others.questions
        asked = digest(*(json.dumps(question.to_dict(), sort_keys=True) for question in questions))
    else:
        papers = read(shipped_corpus()).papers if papers is None else papers
        questions = load_gold(config.split, config.kinds or None, folder=gold)
        asked = gold_hash(config.split, folder=gold)
    own = prepare(config.with_settings(settings), papers, home / CACHE, progress)
    assistant = Assistant(own, Collection.open(own))
    alone = Collection.open(own)  # with a second embedder: else the vectors that one system made are free for the other
    try:
        yield Setup(
            config=config,
            settings=own,
            home=home,
            questions=choose(questions, config.limit),
            papers=tuple(papers),
            gold=asked,
            dataset=others.name if others else OWN,
            assistant=assistant,
            systems=tuple(_systems(config, own, papers, assistant, alone)),
        )
    finally:
        assistant.close()
        alone.close()


def _systems(
    config: Config, settings: Settings, papers: Sequence[Paper], assistant: Assistant, alone: Collection
) -> Iterator[System]:
    if CITATIONS in config.systems and not settings.has_model:
        raise SettingsError(f"{CITATIONS} needs a language model: set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env.")
    collection = digest(corpus_hash(papers), str(alone.catalog.manifest()))
    starter = LlamaIndexStarter(papers, open_embedder(settings), settings.data_dir / "llamaindex")
    wanted = config.systems or [name for name in SYSTEMS if name != CITATIONS or settings.has_model]
    for name in SYSTEMS:  # in this order in every table
        if name not in wanted:
            continue
        if name == READBACK:
            yield Readback(assistant, digest(str(public(settings)), assistant.policy().version, collection))
        elif name == BM25:
            yield FirstAbstract(Bm25(papers), papers, corpus_hash(papers))
        elif name == EMBEDDER:
            yield FirstAbstract(EmbedderAlone(alone), papers, collection)
        elif name == STARTER:
            yield FirstAbstract(starter, papers, collection)
        else:
            yield LlamaIndexCitations(starter, settings, collection)


def choose(questions: Sequence[GoldQuestion], limit: int) -> tuple[GoldQuestion, ...]:
    """A sample of ``limit`` questions (0: all), of all kinds in proportion, the same ones every time; sorted by id.

    Within a kind the order is by a hash of the id, so that a question added later displaces few others.
    """
    if not limit or limit >= len(questions):
        return tuple(questions)
    kinds: dict[str, list[GoldQuestion]] = defaultdict(list)
    for question in sorted(questions, key=lambda one: sha256(one.id.encode()).digest()):
        kinds[question.kind].append(question)
    places = [
        ((place + 0.5) / len(group), kind, question)
        for kind, group in kinds.items()
        for place, question in enumerate(group)
    ]
    chosen = sorted(places, key=lambda entry: entry[:2])[:limit]
    return tuple(sorted((question for *_, question in chosen), key=lambda one: one.id))


def execute(setup: Setup, *, progress: Callable[[int], None] = lambda _: None) -> Run:
    """Ask everything, score it and store it. progress: told how many more replies are there.

    Replies of this run that are there already are used, and of earlier runs those that cost tokens, where all that
    decides them is the same; those that crashed are asked again.
    """
    began = datetime.now(UTC)
    run = setup.run
    cache = AnswerCache(setup.home / CACHE / "answers.sqlite3")
    warm_up(setup)
    rows: list[Row] = []
    asked = 0
    # on this machine one at a time: several would slow each other down, and the timings would lie
    workers = setup.config.workers or (WITH_A_SERVER if setup.settings.writes else 1)
    with ThreadPoolExecutor(workers) as pool:
        for system in setup.systems:
            # replies that cost nothing are asked for in every run: a table's timings must be of the same hour
            asker = partial(_reply, system, cache, digest("" if system.costly else run.id, system.fingerprint))
            for row, fresh in pool.map(asker, setup.items):
                rows.append(row)
                asked += fresh
                progress(1)
    meta = _meta(setup, rows, began, asked)
    if not asked and (run.folder / META).is_file():
        meta = {**meta, **{key: run.meta[key] for key in ("started", "finished", "commit", "asked") if key in run.meta}}
    run.write(meta, setup.questions, setup.papers, rows, scores_of(rows, setup.questions, setup.papers))
    return run


def warm_up(setup: Setup) -> None:
    """Load models and indexes before the first question is timed."""
    for system in setup.systems:
        if isinstance(system, LlamaIndexCitations):
            continue  # it would cost tokens
        try:
            system.answer(["Which paper is about feedback?"] if system.name != READBACK else ["feedback?"])
        except Exception as error:  # the questions will say so, one by one
            log.warning("%s does not answer: %s", system.name, error)


def _reply(system: System, cache: AnswerCache, decided_by: str, item: Item) -> tuple[Row, bool]:
    """One row, and whether it had to be asked for. decided_by: hash of all that decides it but what is asked."""
    key = digest(decided_by, *item.turns)
    answer, error = cache.get(key), None
    fresh = answer is None
    if answer is None:
        try:
            answer = system.answer(item.turns)
        except Exception as problem:  # whatever a question does to a system is a result of that question
            log.warning("%s failed on %s", system.name, item.id, exc_info=problem)
            error = f"{type(problem).__name__}: {problem}"
        else:
            cache.put(key, answer)
    return Row(system.name, item.id, item.question_id, item.asker, item.turns, answer, error), fresh


def grade(rows: Iterable[Row], questions: Iterable[GoldQuestion]) -> dict[str, list[Graded]]:
    """System → its replies beside their questions. Replies to questions that are not given are left out."""
    known = {question.id: question for question in questions}
    graded: dict[str, list[Graded]] = defaultdict(list)
    for row in rows:
        if row.question_id in known:
            graded[row.system].append(Graded(known[row.question_id], row.asker, row.answer))
    return graded


def scores_of(
    rows: Iterable[Row], questions: Iterable[GoldQuestion], papers: Iterable[Paper]
) -> dict[str, dict[str, object]]:
    """What scores.json holds: system → values and figures."""
    abstracts: Mapping[str, str] = {paper.id: paper.abstract for paper in papers}
    found: dict[str, dict[str, object]] = {}
    for system, graded in grade(rows, questions).items():
        values = score(graded, abstracts)
        figures = {name: asdict(figure) for name, figure in summarise(values, graded).items()}
        if system != READBACK:
            figures.pop("calibration_error", None)  # a search score is no probability, even where it lies in [0, 1]
        found[system] = {"values": values, "figures": figures}
    return found


def _meta(setup: Setup, rows: Sequence[Row], began: datetime, asked: int) -> dict[str, object]:
    return {
        "id": setup.run.id,
        "name": setup.config.name,
        "dataset": setup.dataset,
        "mode": "generative" if setup.settings.writes else "extractive",
        "config": setup.config.deciding(setup.settings),
        "config_hash": setup.config.hash(setup.settings),
        "corpus_hash": corpus_hash(setup.papers),
        "gold_hash": setup.gold,
        "code": code_version(),
        "measures": measures_version(),
        "index": asdict(manifest) if (manifest := setup.assistant.index.catalog.manifest()) else None,
        "commit": commit(),
        "versions": versions(),
        "started": began.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "questions": [question.id for question in setup.questions],
        "replies": len(rows),
        "asked": asked,
        "crashed": sum(row.answer is None for row in rows),
        "collection": str(setup.settings.data_dir),
    }
