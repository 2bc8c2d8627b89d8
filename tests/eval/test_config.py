"""What an evaluation may be told, and what decides its results."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from eval.config import FAST, Config, public
from rag.errors import SettingsError
from rag.settings import Settings


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "a.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_key_can_be_given(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'name = "x"\nsplit = "dev"\nkinds = ["fact"]\nsystems = ["bm25"]\nphrasings = false\nlimit = 3\n'
        'mode = "extractive"\nworkers = 2\n[settings]\nretrieved_papers = 20\n',
    )
    config = Config.read(file)
    assert config == Config("x", "dev", ("fact",), ("bm25",), False, 3, "extractive", 2, {"retrieved_papers": 20})
    changed = config.with_settings(Settings())
    assert (changed.retrieved_papers, changed.mode) == (20, "extractive")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("splitt = 'dev'", "splitt"),
        ("split = 'train'", "train"),
        ("split = 3", "split must be"),
        ("limit = true", "limit must be"),
        ("limit = -1", "0 or more"),
        ("kinds = 'fact'", "a list"),
        ("kinds = [1]", "a list"),
        ("kinds = ['facts']", "facts"),
        ("[settings]\nopenai_api_key = 'x'", "openai_api_key"),
        ("[settings]\ndens_weight = 1", "dens_weight"),
        ("a = ", "cannot be read as TOML"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint) as caught:
        Config.read(written(tmp_path, text))
    assert "a.toml" in str(caught.value)


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(SettingsError, match="RETRIEVED_PAPERS"):
        Config(settings={"retrieved_papers": 7}).with_settings(Settings())


def test_the_hash_changes_with_what_decides_results_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings()
    base = Config().hash(settings)
    assert Config(name="another", workers=3).hash(settings) == base
    assert Config().hash(settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})) == base
    assert Config(split="test").hash(settings) != base
    assert Config().hash(settings.model_copy(update={"retrieved_papers": 90})) != base
    assert Config().hash(settings.model_copy(update={"openai_api_key": SecretStr("k")})) != base


def test_no_secret_is_stored() -> None:
    settings = Settings(openai_api_key=SecretStr("sk-very-secret"))
    assert "sk-very-secret" not in str(public(settings))
    assert public(settings)["has_model"] is True


def test_the_fast_subset_does_not_look_at_the_test_questions() -> None:
    fast = Config().fast()
    assert (fast.split, fast.limit, fast.phrasings) == ("dev", FAST, False)
