"""A collection small enough to know by heart, and models that write what a test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import count
from time import monotonic

from rag.ports import Message
from rag.types import Paper, Usage

REWRITES = "How can a voice assistant learn query rewrites from user feedback?"
FOLLOW_UP = "Which data does it use?"
UNKNOWN = "Which fertiliser do tomatoes need in a cold greenhouse?"

PAPERS = [
    Paper(
        "arXiv:2101.00001",
        "Self-Learning Query Rewrites for Voice Assistants",
        "Voice assistants misunderstand many requests. We learn query rewrites from user feedback, without any manual "
        "annotation. Our system mines reformulations from the logs of ten million customers with a Markov chain. It "
        "reduces the defect rate by 30%.",
        ("Ada Müller", "Bo & Co Li"),
        2021,
        "https://arxiv.org/abs/2101.00001",
    ),
    Paper(
        "doi:10.1234/abc/5",
        "Stance Detection in Online Debates",
        "Stance detection decides whether a text is for or against a target. We release a corpus of 12,000 annotated "
        "arguments from online debates. A transformer reaches an F1 score of 0.81 on it.",
        ("Carla Ruiz",),
        2019,
        "https://doi.org/10.1234/abc/5",
    ),
    Paper(
        "hostile-1",
        "Attacks <script>alert(1)</script> on 100% of {Pages} & _Links_",
        "Web pages run scripts that nobody asked for. We study <img src=x onerror=alert(2)> in pages and "
        "![pixel](http://evil.example/p.png) in Markdown. Escaping everything stops the attacks on web pages.",
        (),
        None,
        None,
    ),
    Paper(
        "arXiv:2303.00003",
        "Pseudo Relevance Feedback for Dense Retrieval",
        "Pseudo relevance feedback expands a query with terms of the first documents found. We bring it to dense "
        "retrieval by averaging vectors. No training is needed, and recall grows by 4 points.",
        ("Dan Park",),
        2023,
    ),
    Paper(
        "arXiv:2202.00004",
        "Continual Learning for Robots in Kitchens",
        "Robots forget old tasks when they learn new ones. We replay a few stored trajectories in a kitchen. The robot "
        "keeps 92% of its skills after twenty tasks.",
        ("Eva Stone",),
        2022,
    ),
    *(
        Paper(
            f"filler-{number}",
            f"A Study of {topic}",
            f"We study {topic.lower()} in detail. Our measurements cover {number + 3} years. The results are mixed.",
            ("Filler Author",),
            2000 + number,
        )
        for number, topic in enumerate(
            ["Coral Reefs", "Railway Timetables", "Bronze Age Pottery", "Glacier Flow", "Bee Dances", "Violin Varnish"]
        )
    ),
]


class QuotingModel:
    """Writes one sentence that the first paper supports."""

    name = "quoting"
    said = "We learn query rewrites from user feedback, without any manual annotation [1]."

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """The sentence in two pieces, and what it took."""
        yield self.said[:20]
        yield self.said[20:]
        yield Usage(100, 20, 0.001)


class EndlessModel:
    """Writes until it is stopped, and says when that was."""

    name = "endless"

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.written = 0

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[str | Usage]:
        """A sentence at a time; gives up after a minute, so that no test hangs."""
        deadline = monotonic() + 60
        yield f"{QuotingModel.said} "
        try:
            for number in count():
                self.written = number
                yield f"We learn query rewrites from user feedback for customer number {number} [1]. "
                if monotonic() > deadline or self.stopped.wait(0.02):
                    return
        finally:
            self.stopped.set()
