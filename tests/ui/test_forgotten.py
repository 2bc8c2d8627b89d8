"""What was removed, and who was forgotten, is gone: out of every file of the data folder, byte by byte."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from rag.collection import Collection
from rag.engine import Assistant
from rag.events.opening import open_store
from rag.index.ports import Row, paper_key, passage_id
from rag.policy.memory import Need
from rag.policy.store import PolicyStore
from rag.types import Options, Paper
from tests.ui.conftest import settings_for
from ui.services import Asker, Services

SECRET = "quokkatastrophe"
ASKED = f"Why did the {SECRET} happen in the caves?"
PAPERS = [
    Paper(
        f"wombats-{number}", f"Wombats {number}", f"Wombats of kind {number} sleep in caves. They eat {number} roots."
    )
    for number in range(6)
]
REMOVED = Paper(f"the-{SECRET}", f"The {SECRET}", f"A {SECRET} happened in the caves. Nobody of the {SECRET} was hurt.")


def holding(folder: Path, words: str) -> list[str]:
    """The files that hold these words, in either case and in UTF-16 too."""
    plain = words.casefold()
    signs = (plain.encode(), plain.encode("utf-16-le"))
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [file.name for file in files if any(sign in file.read_bytes().lower() for sign in signs)]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    settings = settings_for(tmp_path / "data", user_per_minute=0, address_per_minute=0)
    collection = Collection.open(settings)
    collection.index.update([*PAPERS, REMOVED])
    collection.close()
    return Services(settings, Assistant.open(settings), open_store(settings))


def test_a_removed_paper_is_gone_from_every_file(services: Services, tmp_path: Path) -> None:
    with services:
        assert services.papers.matching(SECRET)
        assert "catalog.sqlite3" in " ".join(holding(tmp_path / "data", SECRET))
        assert services.papers.remove([REMOVED.id]) == 1
        assert services.asking.search("Who sleeps in caves?", 3)
        assert holding(tmp_path / "data", SECRET) == []
        services.papers.put_back(REMOVED.id)  # a word that went and came again is found again
        found = services.assistant.search(f"the {SECRET}", 1, Options())
        assert [one.paper.id for one in found] == [REMOVED.id]
    assert holding(tmp_path / "data", SECRET) != []


@pytest.mark.parametrize("way", ["forget", "delete"])
def test_a_forgotten_person_is_gone_from_every_file(services: Services, tmp_path: Path, way: str) -> None:
    folder = tmp_path / "data"
    with services:
        services.papers.remove([REMOVED.id])
        place = services.conversations.place("ada")
        answer = services.asking.ask(ASKED, asker=Asker("ada"), source="api", place=place)
        services.asking.ask("Who sleeps in caves?", asker=Asker("bob"), source="api")
        services.conversations.feedback(answer.id, user="ada", kind="comment", value=f"No {SECRET}!")
        learn(services, ASKED)
        before = PolicyStore(folder / "policies").active_version()
        assert {"events.db-wal", f"{before}.json"} <= set(holding(folder, SECRET))
        if way == "forget":
            services.store.forget("ada")
        else:
            assert place.conversation is not None
            services.store.delete_conversation("ada", place.conversation)
        assert holding(folder, SECRET) == []
        after = services.assistant.policy()
        assert [need.texts for need in after.memory.items] == [("Who sleeps in caves?",)]
        assert services.store.stats().interactions == (1 if way == "forget" else 2)


def learn(services: Services, *texts: str) -> None:
    """Put a policy in force that remembers what was asked."""
    policies, view = PolicyStore(services.settings.data_dir / "policies"), services.assistant.collection.view()

    def need(text: str) -> dict[str, object]:
        vectors = b64encode(np.asarray([view.embed(text)], dtype=np.float16).tobytes()).decode()
        return asdict(Need(sha256(text.encode()).hexdigest()[:8], (text,), vectors))

    record = services.assistant.policy().record()
    memory = {**record["memory"], "items": [need(text) for text in (*texts, "Who sleeps in caves?")]}
    policies.promote(policies.save({**record, "memory": memory}), "a test")


def test_ids_in_the_vectors_say_nothing() -> None:
    row: Row = (f"the-{SECRET}", "0123456789abcdef", 0, 10)
    assert SECRET not in passage_id(row) + paper_key(row[0])
