"""How often does each check of what speaks against a sentence fire, and on what?

A rule that fires on CONTRADICT no more often than on SUPPORT earns nothing. Counted on SciFact's training claims, on
titles and sentences of its abstracts, and on errors made of those (`eval.lab.fit_verify`).

``python -m eval.lab.firings --bench FOLDER``
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eval.lab.fit_verify import LABELS, Example, training
from eval.table import aligned
from rag.verify import EvidenceVerifier
from rag.verify.checks import CHECKS
from rag.verify.features import FEATURES

GROUPS = (*LABELS, "true", "made errors")


def count(examples: Sequence[Example], verifier: EvidenceVerifier) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Sentences by group; and by check and group, those on which it fires. "certain": a number or name is not there."""
    sizes: Counter[str] = Counter()
    fired: Counter[tuple[str, str]] = Counter()
    for one in examples:
        group = one.label if one.label in GROUPS else GROUPS[-1]
        sizes[group] += 1
        weighed = verifier.weigh(one.text, [one.source])
        if weighed is None:
            continue
        fired.update((name, group) for name in CHECKS if weighed.row[FEATURES.index(name)])
        fired["certain", group] += bool(weighed.objection)
        fired["any", group] += bool(weighed.objection or weighed.against)
    return sizes, fired


def table(sizes: Counter[str], fired: Counter[tuple[str, str]]) -> str:
    """Number and share of firings."""
    rows: list[Sequence[str]] = [["", *GROUPS], ["sentences", *(str(sizes[group]) for group in GROUPS)]]
    for name in (*CHECKS, "certain", "any"):
        cells = [(fired[name, group], fired[name, group] / max(sizes[group], 1)) for group in GROUPS]
        rows.append([name, *(f"{number} ({share:.3f})" for number, share in cells)])
    return aligned(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How often each check of the verifier fires.")
    parser.add_argument("--bench", type=Path, required=True, help="folder with scifact")
    examples, verifier, _ = training(parser.parse_args().bench / "scifact")
    print(table(*count(examples, verifier)))


if __name__ == "__main__":
    main()
