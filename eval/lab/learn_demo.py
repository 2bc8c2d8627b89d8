"""``make learn-demo``: simulated users teach Readback, and a table says what it brought, beside the goals.

    python -m eval.lab.learn_demo [--seeds 5] [--sessions 1500] [--rounds 20] [--out FOLDER]

Everything is measured against the frozen system, on phrasings that no user asked while it learned, over development
needs. Every promotion goes through the gate, as ``readback learn --promote`` does it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from scipy import stats

from eval.gold import GoldQuestion
from eval.lab.converse import quality
from eval.lab.drift import rounds_with_the_right_rewrite
from eval.lab.simulate import Crowd, UserNeed, split_needs
from rag.embed import open_embedder
from rag.engine import Assistant
from rag.events import EventStore
from rag.learning.gate import Ask, check_and_prune
from rag.learning.history import read
from rag.learning.learn import Learner
from rag.learning.probes import accepted, load_probes
from rag.policy import Policy
from rag.policy.memory import Memory, Need, Recollection, encode
from rag.settings import Settings
from rag.text import sentences
from rag.types import Answer

START = datetime(2026, 1, 1, tzinfo=UTC)
ADVERSARIES = (0.0, 0.1, 0.2)


class System:
    """Readback as its users reach it, with one memory or another. The same question gets the same answer."""

    def __init__(self, folder: Path) -> None:
        self.assistant = Assistant.open(Settings(data_dir=folder, _env_file=None))  # type: ignore[call-arg]
        self.policy = Policy.default()
        self.papers = {paper.id: paper for paper in self.assistant.papers()}
        embedder = open_embedder(self.assistant.settings)
        self.learner = Learner(embedder, frozenset(self.papers), self._sentences)
        self.probes = load_probes(self.papers)
        self._said: dict[tuple[str, str], Answer] = {}

    def ask_with(self, memory: Memory) -> Ask:
        """How questions are answered with this memory."""
        policy = self.policy.with_parts(memory=memory)
        assistant = self.assistant.with_policy(policy)

        def ask(question: str) -> Answer:
            key = policy.version, question
            if key not in self._said:
                self._said[key] = assistant.ask(question)
            return self._said[key]

        return ask

    def _sentences(self, paper_id: str) -> list[str]:
        paper = self.papers.get(paper_id)
        return [span.of(paper.abstract) for span in sentences(paper.abstract)] if paper else []


class RecordedFace:
    """Asks and tells through the record of events, as the HTTP face does."""

    def __init__(self, store: EventStore, ask: Ask, name: str) -> None:
        self.store, self.ask_system, self.name, self.count = store, ask, name, 0

    def ask(self, text: str, *, user: str, conversation: str, turn: int, at: datetime) -> Answer:
        """Ask, and be recorded."""
        self.count += 1
        answer = replace(self.ask_system(text), id=f"{self.name}-{self.count}")
        self.store.record(answer, user=user, source="api", conversation=f"{self.name}-{conversation}", turn=turn, at=at)
        return answer

    def tell(
        self, answer: Answer, *, user: str, kind: str, value: str | float | None = None, paper: str | None = None
    ) -> None:
        """Give feedback."""
        self.store.feedback(answer.id, user=user, kind=kind, value=value, paper_id=paper)


@dataclass(frozen=True, slots=True)
class Measured:
    """One system on the unseen phrasings, and on the questions that nobody asked."""

    satisfied: Sequence[bool]
    rewritten: Sequence[bool]  # whether a learned wording was searched
    top_three: Sequence[tuple[str, ...]]
    quality: float  # nDCG@3 of the questions that nobody asked


def measure(ask: Ask, needs: Sequence[UserNeed], others: Sequence[GoldQuestion]) -> Measured:
    """Ask everything once."""
    answers = [(need, ask(text)) for need in needs for text in need.unseen]
    other = [(one, ask(one.question)) for one in others]
    return Measured(
        [need.satisfied_by(answer) for need, answer in answers],
        [_rewritten(answer) for _, answer in answers],
        [tuple(paper.paper_id for paper in answer.retrieved[:3]) for _, answer in other],
        float(np.mean([quality(answer, one.gold) for one, answer in other if one.gold])),
    )


def learn(system: System, store: EventStore, before: Memory, *, aware: bool = True) -> Memory:
    """A round of learning through the gate; the memory in force if it does not pass."""
    log = read(store.episodes())
    now = (log[-1].at if log else START).timestamp()
    learned = system.learner.learn(log, now, before, aware=aware)
    probes = [*system.probes, *accepted(learned.signals.tasks)]
    memory, verdict = check_and_prune(system.ask_with(before), system.ask_with, learned.memory, probes)
    return memory if verdict.passed else before


def one_seed(system: System, seed: int, sessions: int, adversaries: float) -> dict[str, float]:
    """Teach once, and compare with the frozen system."""
    needs, others = split_needs(seed)
    frozen = system.ask_with(Memory())
    with (
        tempfile.TemporaryDirectory() as folder,
        EventStore.open(Path(folder) / "events.db", queue_size=50_000) as store,
    ):
        target = sorted(system.papers)[(seed * 17) % len(system.papers)]
        face = RecordedFace(store, frozen, "s")
        rng = np.random.default_rng([seed, round(adversaries * 100)])
        Crowd(needs, face, rng, START, adversaries=adversaries, target=target).visit(sessions)
        store.flush(60)
        memory = learn(system, store, Memory())
    before, after = measure(frozen, needs, others), measure(system.ask_with(memory), needs, others)
    pairs = list(zip(before.satisfied, after.satisfied, after.rewritten, strict=True))
    unhappy = 1 - np.mean(before.satisfied)
    bait = sum(
        target in now and target not in then for then, now in zip(before.top_three, after.top_three, strict=True)
    )
    return {
        "unsatisfying before": float(unhappy),
        "unsatisfying after": float(1 - np.mean(after.satisfied)),
        "change": float((1 - np.mean(after.satisfied)) / unhappy - 1),
        "rewrite wins": sum(now and not then for then, now, used in pairs if used),
        "rewrite losses": sum(then and not now for then, now, used in pairs if used),
        "unrelated": after.quality - before.quality,
        "unrelated moved": float(np.mean([a != b for a, b in zip(before.top_three, after.top_three, strict=True)])),
        "bait in an unrelated top three": bait,
        "needs": len(memory.items),
    }


def drift(system: System, rounds: int, *, aware: bool) -> list[float]:
    """Share of unsatisfying first answers on unseen phrasings, round by round, each learned from its own log."""
    needs, others = split_needs(0)
    memory, found = Memory(), []
    with (
        tempfile.TemporaryDirectory() as folder,
        EventStore.open(Path(folder) / "events.db", queue_size=50_000) as store,
    ):
        for number in range(rounds):
            face = RecordedFace(store, system.ask_with(memory), f"r{number}")
            start = START + timedelta(days=number)
            Crowd(needs, face, np.random.default_rng([7, number]), start).visit(100)
            store.flush(60)
            memory = learn(system, store, memory, aware=aware)
            found.append(1 - float(np.mean(measure(system.ask_with(memory), needs, others[:1]).satisfied)))
    return found


def recall_ms(count: int = 10_000) -> float:
    """95th percentile of the time that memory adds to a question, with so many needs."""
    rng = np.random.default_rng(0)
    words = [f"word{number}" for number in range(5_000)]
    vectors = rng.normal(size=(count, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    needs = [
        Need(str(n), (" ".join(rng.choice(words, 10)),), encode(vectors[n : n + 1]), relevance={f"p{n % 300}": 0.5})
        for n in range(count)
    ]
    recollection = Recollection(Memory(tuple(needs)))
    spent = []
    for n in range(300):
        text = " ".join(rng.choice(words, 12))
        began = time.perf_counter()
        recollection.recall(vectors[n], text, {f"p{k}": 1 - k / 40 for k in range(30)})
        spent.append((time.perf_counter() - began) * 1000)
    return float(np.percentile(spent, 95))


def scale(system: System, count: int = 100_000) -> tuple[float, float]:
    """Seconds and peak megabytes of learning from so many interactions, reading them apart."""
    needs, _ = split_needs(0)
    with (
        tempfile.TemporaryDirectory() as folder,
        EventStore.open(Path(folder) / "events.db", queue_size=50_000) as store,
    ):
        face = RecordedFace(store, system.ask_with(Memory()), "s")
        Crowd(needs, face, np.random.default_rng(1), START).visit(1_000)
        store.flush(60)
        base = read(store.episodes())
    log = [
        replace(one, id=f"{n}-{one.id}", person=f"{one.person}-{n % 20}", conversation=f"{n}-{one.conversation}")
        for n in range(count // len(base) + 1)
        for one in base
    ][:count]
    began = time.perf_counter()
    system.learner.learn(log, START.timestamp())
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def interval(values: Sequence[float]) -> str:
    """Mean and 95 % interval over the seeds."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:+.3f}"
    half = float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def table(by_share: Mapping[float, Sequence[Mapping[str, float]]]) -> list[tuple[str, str, str]]:
    """(measure, goal, measured)."""
    honest = by_share[0.0]
    wins, losses = (sum(row[name] for row in honest) for name in ("rewrite wins", "rewrite losses"))
    rows = [
        (
            "Unsatisfying first answers, unseen phrasings of seen needs",
            "-0.40",
            interval([r["change"] for r in honest]),
        ),
        ("Wins : losses where a learned wording was searched", ">= 12", f"{wins:.0f} : {losses:.0f}"),
        ("Unrelated questions, nDCG@3", ">= -0.005", interval([r["unrelated"] for r in honest])),
        (
            "Unrelated questions whose first three papers moved",
            "0",
            f"{np.mean([r['unrelated moved'] for r in honest]):.3f}",
        ),
    ]
    gain = float(np.mean([r["change"] for r in honest]))
    for share, found in by_share.items():
        if share:
            kept = float(np.mean([r["change"] for r in found])) / gain if gain else 0.0
            bait = sum(r["bait in an unrelated top three"] for r in found)
            rows.append((f"{share:.0%} adversaries: share of the gain kept", ">= 0.80", f"{kept:.2f}"))
            rows.append((f"{share:.0%} adversaries: unrelated top threes with their paper", "0", f"{bait:.0f}"))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and write it with the curves as JSON and HTML if a folder is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sessions", type=int, default=1_500)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--shares", type=float, nargs="*", default=list(ADVERSARIES))
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(os.environ.get("READBACK_DEMO_DIR", folder)))
        by_share: dict[float, list[dict[str, float]]] = {}
        for share in chosen.shares:
            for seed in range(chosen.seeds):
                found = one_seed(system, seed, chosen.sessions, share)
                by_share.setdefault(share, []).append(found)
                print(f"seed {seed}, {share:.0%} adversaries: {json.dumps(found)}", file=sys.stderr, flush=True)
        rows = table(by_share)
        curves = {}
        if chosen.rounds:
            for name, aware in (("self-aware", True), ("naive", False)):
                curves[name] = drift(system, chosen.rounds, aware=aware)
                rows.append((f"{chosen.rounds} rounds from its own logs, {name}", "no drift", _ends(curves[name])))
                kept = [rounds_with_the_right_rewrite(seed, chosen.rounds, aware=aware) for seed in range(12)]
                rows.append((f"… in a planted world, right rewrite kept, {name}", "1.00", f"{np.mean(kept):.3f}"))
        seconds, megabytes = scale(system)
        rows.append(("Learning from 100,000 interactions", "< 60 s, < 1 GB", f"{seconds:.1f} s, {megabytes:.0f} MB"))
        rows.append(("Time that memory adds, p95, 10,000 needs", "< 5 ms", f"{recall_ms():.1f} ms"))
    width = max(len(name) for name, _, _ in rows)
    for name, goal, value in [("Measure", "Goal", "Measured"), *rows]:
        print(f"{name:{width}}  {goal:>15}  {value}")
    if chosen.out:
        _write(chosen.out, by_share, curves, rows)
    return 0


def _ends(curve: Sequence[float]) -> str:
    return f"unsatisfying {curve[0]:.3f} first, {min(curve):.3f} best, {curve[-1]:.3f} last"


def _write(
    folder: Path,
    by_share: Mapping[float, Sequence[Mapping[str, float]]],
    curves: Mapping[str, Sequence[float]],
    rows: Sequence[tuple[str, str, str]],
) -> None:
    import plotly.graph_objects as go

    folder.mkdir(parents=True, exist_ok=True)
    record = {"table": rows, "seeds": {str(share): found for share, found in by_share.items()}, "curves": curves}
    (folder / "learn-demo.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    figure = go.Figure([go.Scatter(y=curve, name=name) for name, curve in curves.items()])
    figure.update_layout(title="Unsatisfying first answers, unseen phrasings", xaxis_title="round of learning")
    figure.write_html(folder / "learn-demo.html")


def _rewritten(answer: Answer) -> bool:
    learned = "recall" in answer.trace.get("stages", {})
    return learned and answer.understood_as not in (None, answer.standalone_question, answer.question)


if __name__ == "__main__":
    sys.exit(main())
