"""Do the gold questions agree with the abstracts, and are they still the ones that were frozen?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from eval.gold import GOLD, PAPERS, SPLITS, GoldQuestion, Split, load_gold, records
from eval.metrics.facts import holds_fact
from rag.errors import CorpusError


def check_facts(questions: Iterable[GoldQuestion], abstracts: Mapping[str, str]) -> list[str]:
    """One complaint per fact that stands in no gold paper's abstract, or gold paper that has none. abstracts: by id."""
    complaints = []
    for question in questions:
        missing = [paper for paper in (*question.gold, *question.near) if paper not in abstracts]
        complaints += [f"{question.id}: the collection has no paper {paper!r}" for paper in missing]
        texts = [abstracts[paper] for paper in question.gold if paper in abstracts]
        complaints += [
            f"{question.id}: no gold abstract holds the fact {' | '.join(forms)}"
            for forms in question.facts
            if not any(holds_fact(text, forms) for text in texts)
        ]
    return complaints


def gold_hash(split: Split, *, folder: Path = GOLD) -> str:
    """SHA-256 of all that the questions of a split say, whatever their order, file or spacing."""
    content = [question.to_dict() for question in load_gold(split, folder=folder)]
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def current_hashes(folder: Path = GOLD) -> dict[str, dict[str, Any]]:
    """What HASHES.json should hold: per split, its hash and how many questions it has."""
    return {
        split: {"questions": len(load_gold(split, folder=folder)), "sha256": gold_hash(split, folder=folder)}
        for split in SPLITS
    }


def freeze(folder: Path = GOLD) -> Path:
    """Write HASHES.json, so that a later change of a question cannot go unnoticed."""
    file = folder / "HASHES.json"
    file.write_text(json.dumps(current_hashes(folder), indent=2) + "\n", encoding="utf-8")
    return file


def read_abstracts(file: Path = PAPERS) -> dict[str, str]:
    """Abstracts by paper id, from a file of JSON lines with "id" and "abstract". Raises CorpusError."""
    try:
        return {str(record["id"]): str(record["abstract"]) for _, record in records(file)}
    except KeyError as error:
        raise CorpusError(str(file), None, f"a line has no {error}") from error
