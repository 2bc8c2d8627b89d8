"""Is one run better than another? Paired by question, measure by measure, with what it would take to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.config import READBACK
from eval.measures import BY_NAME, MEASURES, Values
from eval.results import Run, find
from eval.stats import Comparison, compare
from eval.table import aligned, digits_of


@dataclass(frozen=True, slots=True)
class Side:
    """One system of one run."""

    run: Run
    system: str

    @classmethod
    def of(cls, home: Path, name: str) -> Side:
        """From "RUN" or "RUN:SYSTEM"; without a system it is Readback. Raises ResultsError."""
        run, _, system = name.partition(":")
        return cls(find(home, run), system or READBACK)

    @property
    def values(self) -> dict[str, Values]:
        """Measure → question id → score."""
        return self.run.values(self.system)

    def __str__(self) -> str:
        return f"{self.run.id}:{self.system}"


def compare_values(before: Mapping[str, Values], after: Mapping[str, Values]) -> dict[str, Comparison]:
    """A verdict for each measure of which both have at least one question in common, on those in common."""
    found = {}
    for measure in MEASURES:
        old, new = before.get(measure.name, {}), after.get(measure.name, {})
        both = sorted(set(old) & set(new))
        if both and measure.better != "neither":
            found[measure.name] = compare(
                {one: old[one] for one in both},
                {one: new[one] for one in both},
                higher_is_better=measure.better == "higher",
            )
    return found


def cautions(before: Side, after: Side) -> list[str]:
    """Reasons why two runs should not be compared, or only with care; empty if there is none."""
    old, new = before.run.meta, after.run.meta
    told = {
        "gold_hash": "They were asked of different gold questions; only those in common are compared.",
        "corpus_hash": "They searched different collections.",
        "measures": "They were scored by different versions of the measures: run both again.",
    }
    found = [text for key, text in told.items() if old.get(key) != new.get(key)]
    if old["config"].get("split") != new["config"].get("split"):
        found.append("They are of different splits.")
    return found


def comparison_table(found: Mapping[str, Comparison]) -> str:
    """One line a measure: both means, the difference with its interval, p, the verdict, and questions needed."""
    rows: list[Sequence[str]] = [["", "n", "before", "after", "difference", "p", "verdict", "questions needed"]]
    for name, one in found.items():
        digits = digits_of(BY_NAME[name])
        if not one.before and not one.after and BY_NAME[name].group == "Cost":
            continue
        low, high = one.interval.low, one.interval.high
        rows.append(
            [
                name,
                str(one.questions),
                f"{one.before:.{digits}f}",
                f"{one.after:.{digits}f}",
                f"{one.difference:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]",
                f"{one.p_value:.4f}",
                one.verdict,
                str(one.questions_needed) if one.questions_needed is not None else "–",
            ]
        )
    return aligned(rows)
