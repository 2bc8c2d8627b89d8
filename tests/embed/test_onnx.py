"""The embedded model, and other folders in its place."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.embed import open_embedder
from rag.embed.onnx import RECIPE, WEIGHTS, OnnxEmbedder
from rag.errors import SettingsError
from rag.settings import EMBEDDED_MODEL, Settings

MODEL = "model_quantized.onnx"
LONG = "The weather is mild and nothing happens in this town. " * 60  # some 660 tokens


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    """The model that comes with Readback."""
    return OnnxEmbedder()


def folder_with(folder: Path, **recipe: Any) -> Path:
    """The shipped model in another folder, with another recipe."""
    folder.mkdir()
    for name in (MODEL, "tokenizer.json"):
        (folder / name).symlink_to(WEIGHTS / name)
    (folder / RECIPE).write_text(json.dumps({"model": MODEL} | recipe), encoding="utf-8")
    return folder


def test_vectors_are_of_unit_length_in_the_order_given_and_alone_decided_by_their_text(embedder: OnnxEmbedder) -> None:
    texts = ["A short text.", LONG, "", "Ein Satz über Füchse 😀", "A short text."]
    together = embedder.embed(texts, "document")
    assert together.shape == (5, embedder.dimension) == (5, 384)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    alone = np.concatenate([embedder.embed([text], "document") for text in texts])
    assert np.array_equal(together, alone)  # bit by bit: neither neighbours nor threads change a vector
    assert np.array_equal(embedder.embed(texts[::-1], "document"), together[::-1])
    assert embedder.embed([], "document").shape == (0, 384)


def test_meaning_counts_more_than_words(embedder: OnnxEmbedder) -> None:
    question, close, far = embedder.embed(["a quick canine", "the fast dog", "quarterly tax report"], "query")
    assert question @ close > question @ far + 0.3


def test_a_fact_at_the_end_of_a_long_text_is_not_cut_off(embedder: OnnxEmbedder) -> None:
    plain, with_fact = embedder.embed([LONG, LONG + "Whales sing in dialects of the Pacific Ocean."], "document")
    assert float(plain @ with_fact) < 0.999
    (question,) = embedder.embed(["How do whales sing?"], "query")
    assert question @ with_fact > question @ plain + 0.02


def test_threads_share_an_embedder(embedder: OnnxEmbedder) -> None:
    expected = embedder.embed(["one text", "and another"], "document")
    found: list[bool] = []

    def work() -> None:
        found.extend(np.array_equal(embedder.embed(["one text", "and another"], "document"), expected) for _ in "12345")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def test_any_folder_can_be_named_by_path(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mine", pooling="cls", max_tokens=128, name="my-model")
    settings = Settings(data_dir=tmp_path / "data", embed_model=f"onnx:{folder}")
    mine, shipped = open_embedder(settings), OnnxEmbedder()
    assert mine.name.startswith("my-model/128#")
    assert mine.dimension == 384
    other = shipped.embed(["a text"], "document")
    assert float((mine.embed(["a text"], "document") @ other.T).item()) < 0.99  # pooled in another way


def test_without_a_recipe_the_usual_file_names_are_taken(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "model.onnx").symlink_to(WEIGHTS / MODEL)
    (tmp_path / "bare" / "tokenizer.json").symlink_to(WEIGHTS / "tokenizer.json")
    bare = OnnxEmbedder(tmp_path / "bare")
    assert bare.name.startswith("bare/512#")
    assert np.array_equal(bare.embed(["a text"], "query"), OnnxEmbedder().embed(["a text"], "query"))


def test_prefixes_stand_before_questions_and_documents(tmp_path: Path, embedder: OnnxEmbedder) -> None:
    mine = OnnxEmbedder(folder_with(tmp_path / "mine", query_prefix="query: ", document_prefix="passage: "))
    assert np.array_equal(mine.embed(["whales"], "query"), embedder.embed(["query: whales"], "query"))
    assert np.array_equal(mine.embed(["whales"], "document"), embedder.embed(["passage: whales"], "document"))


def test_the_name_changes_with_everything_that_decides_a_vector(tmp_path: Path) -> None:
    recipes: list[dict[str, Any]] = [
        {},
        {"max_tokens": 256},
        {"pooling": "cls"},
        {"query_prefix": "q: "},
        {"document_prefix": "d: "},
    ]
    names = [
        OnnxEmbedder(folder_with(tmp_path / str(number), name="same", **recipe)).name
        for number, recipe in enumerate(recipes)
    ]
    assert len(set(names)) == len(recipes)
    assert OnnxEmbedder(folder_with(tmp_path / "again", name="same")).name == names[0]


@pytest.mark.parametrize("name", [MODEL, "tokenizer.json"])
def test_a_damaged_file_is_refused_by_its_hash(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1  # one bit
    (folder / name).write_bytes(data)
    with pytest.raises(SettingsError, match=rf"{name} is not the file .*sha256"):
        OnnxEmbedder(folder)


def test_further_files_are_checked_too(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mine", sha256={"model.onnx_data": "0" * 64})
    with pytest.raises(SettingsError, match=r"model\.onnx_data cannot be read"):
        OnnxEmbedder(folder)
    (folder / "model.onnx_data").write_bytes(b"weights")
    with pytest.raises(SettingsError, match=r"model\.onnx_data is not the file"):
        OnnxEmbedder(folder)


def broken_recipe(folder: Path) -> None:
    (folder / RECIPE).write_text('{"pooling": "max"}')


def unreadable_recipe(folder: Path) -> None:
    (folder / RECIPE).write_bytes(b"\xff\xfe{")


def unknown_key(folder: Path) -> None:
    (folder / RECIPE).write_text(json.dumps({"model": MODEL, "max_token": 128}))


def no_model(folder: Path) -> None:
    (folder / MODEL).unlink()


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def not_a_model(folder: Path) -> None:
    no_model(folder)
    (folder / MODEL).write_bytes(b"not a model")


def not_a_tokenizer(folder: Path) -> None:
    no_tokenizer(folder)
    (folder / "tokenizer.json").write_text("{}")


@pytest.mark.parametrize(
    "damage",
    [broken_recipe, unreadable_recipe, unknown_key, no_model, no_tokenizer, not_a_model, not_a_tokenizer],
)
def test_a_folder_that_cannot_be_used_is_one_clear_error(tmp_path: Path, damage: Any) -> None:
    folder = folder_with(tmp_path / "mine")
    damage(folder)
    with pytest.raises(SettingsError, match=str(folder)):
        OnnxEmbedder(folder)


def test_a_window_beyond_the_model_is_one_clear_error(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(folder_with(tmp_path / "mine", max_tokens=2000))
    with pytest.raises(SettingsError, match="max_tokens"):
        embedder.embed([LONG], "document")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("onnx:/nowhere/at/all", "no folder /nowhere/at/all"),
        ("onnx:", "READBACK_EMBED_MODEL=onnx: is not understood"),
        ("some-model", f'READBACK_EMBED_MODEL=some-model is not understood: use "{EMBEDDED_MODEL}"'),
        ("openai:", "is not understood"),
    ],
)
def test_a_name_that_is_not_understood_names_the_variable(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        open_embedder(Settings(data_dir=tmp_path, embed_model=name))


def test_word_pieces_know_their_neighbours(embedder: OnnxEmbedder, tmp_path: Path) -> None:
    river, money = (embedder.pieces(text, "document") for text in ("the bank of the river", "the bank lends money"))
    assert river.shape == (5, 384)
    assert np.linalg.norm(river, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert float(river[1] @ money[1]) < 0.9
    prefixed = OnnxEmbedder(folder_with(tmp_path / "prefixed", query_prefix="search: "))
    assert prefixed.pieces("the bank of the river", "query").shape == (5, 384)
    assert len(embedder.pieces("", "query")) == 0
    assert len(embedder.pieces(LONG, "document")) == 511  # as much as fits at once
