"""Uploads are read in a process of their own."""

from __future__ import annotations

import json

import pytest

from rag.corpus import read_bytes
from rag.errors import CorpusError
from ui.services.reading import SMALL, read_apart

ROW = {"title": "Cats on Ships", "abstract": "Cats caught mice on ships. Sailors fed the cats fish."}
LINES = [json.dumps({**ROW, "id": f"p{number}", "title": f"Cats on Ship {number}"}) for number in range(1500)]
LARGE = "\n".join(["{broken", *LINES]).encode()


def test_a_large_file_is_read_as_a_small_one_is() -> None:
    assert len(LARGE) > SMALL
    reading, direct = read_apart("large.jsonl", LARGE, skip_bad=True), read_bytes("large.jsonl", LARGE, skip_bad=True)
    assert reading.papers == direct.papers
    assert [(one.line, one.reason) for one in reading.faults] == [(one.line, one.reason) for one in direct.faults]


def test_its_faults_come_back_as_they_are() -> None:
    with pytest.raises(CorpusError, match=r"large\.jsonl, line 1"):
        read_apart("large.jsonl", LARGE, skip_bad=False)


def test_nobody_waits_for_ever() -> None:
    with pytest.raises(CorpusError, match="takes too long"):
        read_apart("large.jsonl", LARGE, skip_bad=True, patience_s=0.0)
