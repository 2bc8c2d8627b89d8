"""A collection of six papers with gold questions of every kind, and answers made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.config import Config
from eval.gold import GoldQuestion
from eval.run import Setup, open_setup
from rag.settings import Settings
from rag.types import Answer, Citation, Paper, RetrievedPaper, Sentence

PAPERS = (
    Paper(
        "bees",
        "Waggle dances of honey bees",
        "Honey bees tell each other where flowers are. We filmed 412 waggle dances in a glass hive. "
        "The angle of a dance gives the direction of the flowers. Foragers followed a dance for 7 minutes on average.",
    ),
    Paper(
        "tides",
        "Tidal turbines in narrow straits",
        "Tidal streams carry steady energy. We installed three turbines in a narrow strait. "
        "They delivered 2.4 megawatts at spring tide. Barnacles reduced the yield by 18% within a year.",
    ),
    Paper(
        "violins",
        "The varnish of old violins",
        "Old violins are admired for their sound. We analysed the varnish of 15 instruments with infrared light. "
        "The varnish consists of linseed oil and pine resin. Listeners could not tell varnished from bare wood.",
    ),
    Paper(
        "glaciers",
        "Counting crevasses on alpine glaciers",
        "Crevasses show how glaciers move. We trained a network on drone images to count crevasses. "
        "It found 93% of the crevasses that a person marked. Snow cover hides the rest.",
    ),
    Paper(
        "bread",
        "Sourdough microbes across bakeries",
        "Sourdough bread rises with wild yeast. We sampled dough from 60 bakeries in nine countries. "
        "Each bakery kept microbes of its own for years. Rye flour favoured acetic acid bacteria.",
    ),
    Paper(
        "owls",
        "Silent flight of barn owls",
        "Barn owls fly without a sound. We measured the noise of wings in a wind tunnel. "
        "Comb-like feathers at the leading edge lower the noise by 10 decibels. Drones could borrow this idea.",
    ),
)
DEV_PAPERS = ("bees", "tides", "violins", "glaciers")


def line(
    name: str, kind: str, question: str, gold: dict[str, int], facts: Sequence[Sequence[str]], **more: Any
) -> dict[str, Any]:
    """One gold question that is to be answered, as in a file."""
    return {
        "id": name,
        "kind": kind,
        "expects": "answer",
        "turns": [{"question": question}],
        "gold": gold,
        "facts": facts,
        "phrasings": [],
        "near": [],
        **more,
    }


LINES = (
    line(
        "fact-001",
        "fact",
        "How many waggle dances were filmed in the glass hive?",
        {"bees": 2},
        [["412"]],
        phrasings=[
            {"asker": "terse", "question": "waggle dances filmed, number"},
            {"asker": "vague", "question": "how many of those bee dances did they record?"},
        ],
    ),
    line("fact-002", "fact", "By how much did barnacles reduce the yield of the turbines?", {"tides": 2}, [["18%"]]),
    line(
        "single-001",
        "single",
        "What is the varnish of old violins made of?",
        {"violins": 2},
        [["linseed oil"], ["pine resin"]],
    ),
    line("single-002", "single", "How are crevasses on glaciers counted?", {"glaciers": 2}, [["drone images"]]),
    line(
        "multi-001",
        "multi",
        "Which papers measured waggle dances or the yield of turbines?",
        {"bees": 2, "tides": 2},
        [["412"], ["megawatts"]],
    ),
    line(
        "conv-001",
        "conversation",
        "And how well does it work?",
        {"glaciers": 2},
        [["93%"]],
        turns=[{"question": "How are crevasses on glaciers counted?"}, {"question": "And how well does it work?"}],
        standalone="What share of the crevasses on glaciers does the network find?",
    ),
    line(
        "premise-001",
        "false_premise",
        "Why could listeners tell varnished from bare wood?",
        {"violins": 2},
        [["could not tell"]],
        expects="correct",
    ),
    line(
        "unans-001",
        "unanswerable",
        "What does a tidal turbine cost to insure against lightning?",
        {},
        [],
        expects="abstain",
        near=["tides"],
    ),
    line(
        "scope-001",
        "out_of_scope",
        "Who won the football championship last summer?",
        {},
        [],
        expects="abstain",
        near=["bees"],
    ),
    line("test-001", "single", "What lowers the noise of barn owls?", {"owls": 2}, [["feathers"]]),
    line("test-002", "fact", "How many bakeries gave sourdough?", {"bread": 2}, [["60"]]),
)


def write_gold(folder: Path, lines: Sequence[dict[str, Any]] = LINES) -> Path:
    """A folder of gold questions."""
    folder.mkdir(parents=True, exist_ok=True)
    papers = {
        paper.id: {
            "topic": "animals" if paper.id in {"bees", "owls"} else "things",
            "split": "dev" if paper.id in DEV_PAPERS else "test",
        }
        for paper in PAPERS
    }
    split = {"topics": {"animals": "Animals", "things": "Things & <matter>"}, "papers": papers}
    (folder / "split.json").write_text(json.dumps(split), encoding="utf-8")
    (folder / "gold.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all the questions."""
    return write_gold(tmp_path_factory.mktemp("gold"))


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose data folder is kept for the session, so that the papers are embedded once."""
    return Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))  # type: ignore[call-arg]


@pytest.fixture(scope="session")
def setup(settings: Settings, gold: Path) -> Iterator[Setup]:
    """All systems over the six papers, on the development split."""
    with open_setup(Config(), settings, gold=gold, papers=PAPERS) as opened:
        yield opened


def question_of(record: dict[str, Any], **more: Any) -> GoldQuestion:
    """A gold question without a file."""
    turns = tuple(turn["question"] for turn in record["turns"])
    return GoldQuestion(
        **{
            "id": record["id"],
            "kind": record["kind"],
            "expects": record["expects"],
            "turns": turns,
            "standalone": record.get("standalone", turns[-1]),
            "gold": record["gold"],
            "facts": tuple(tuple(forms) for forms in record["facts"]),
            "phrasings": (),
            "near": tuple(record["near"]),
            "note": "",
            "split": "dev",
            "topic": "things",
            **more,
        }
    )


def answer(
    text: str = "",
    *,
    papers: Sequence[str] = (),
    quotes: Sequence[tuple[str, str]] = (),
    abstained: bool = False,
    confidence: float = 0.5,
    **more: Any,
) -> Answer:
    """An Answer made by hand. quotes: (paper id, quote), cited one after the other by a single sentence."""
    abstracts = {paper.id: paper.abstract for paper in PAPERS}
    citations = tuple(
        Citation(marker, paper, paper.title(), quote, start := abstracts[paper].find(quote), start + len(quote), 1.0)
        for marker, (paper, quote) in enumerate(quotes, start=1)
    )
    markers = tuple(one.marker for one in citations)
    return Answer(
        **{
            "id": "a",
            "question": "q",
            "standalone_question": "q",
            "text": text,
            "abstained": abstained,
            "abstain_reason": "nothing" if abstained else None,
            "sentences": (Sentence(text, markers, True, 1.0),) if text and not abstained else (),
            "citations": citations,
            "retrieved": tuple(
                RetrievedPaper(rank, paper, paper.title(), 1 / rank) for rank, paper in enumerate(papers, start=1)
            ),
            "mode": "extractive",
            "model": None,
            "confidence": confidence,
            **more,
        }
    )
