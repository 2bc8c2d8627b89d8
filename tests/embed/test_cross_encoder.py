"""The cross-encoder that comes with Readback."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from rag.embed.cross_encoder import FOLDER, UNREAD, OnnxCrossEncoder, embedded
from rag.errors import SettingsError
from rag.policy import Policy
from rag.ports import Excerpt

BRIDGES = Excerpt(
    "Vibration sensors on old bridges",
    (
        "Bridges age, and inspecting them by hand is slow.",
        "We fitted forty bridges with vibration sensors for three years.",
        "The sensors found cracks eleven weeks earlier than inspectors did.",
    ),
)
BREAD = Excerpt("Sourdough and time", ("Bakers let dough rest.", "A longer rest made the crust darker in all trials."))
QUESTION = "How much earlier did the sensors find cracks?"


def test_reading_tells_the_answering_excerpt_and_its_sentence() -> None:
    bridges, bread = embedded().read(QUESTION, [BRIDGES, BREAD])
    assert bridges.answer > bread.answer
    assert int(np.argmax(bridges.sentences)) == 2


def test_what_is_read_does_not_depend_on_what_is_read_beside_it() -> None:
    (alone,) = embedded().read(QUESTION, [BRIDGES])
    _, among = embedded().read(QUESTION, [BREAD, BRIDGES])
    assert alone.answer == among.answer
    assert np.array_equal(alone.sentences, among.sentences)


def test_nothing_to_read_is_read_as_nothing() -> None:
    assert embedded().read(QUESTION, []) == []
    (empty,) = embedded().read(QUESTION, [Excerpt("", ())])
    assert empty.sentences.shape == (0,)


def test_a_sentence_beyond_the_window_is_unread() -> None:
    long = Excerpt(
        "Long", tuple(f"Sentence {number} speaks of {number} other things at length." for number in range(90))
    )
    (found,) = embedded().read(QUESTION, [long])
    assert found.sentences.shape == (90,)
    assert found.sentences[-1] == UNREAD
    assert found.sentences[0] > UNREAD


def test_a_question_without_words_is_read() -> None:
    (found,) = embedded().read("", [BRIDGES])
    assert np.isfinite(found.answer)


def test_a_damaged_model_is_refused_by_name(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(SettingsError, match=r"model\.onnx"):
        OnnxCrossEncoder(tmp_path)


def test_the_policy_was_fitted_on_what_this_one_reads() -> None:
    assert Policy.default().cross_encoder == embedded().name
