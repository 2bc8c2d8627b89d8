"""What the environment decides, and what happens when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import Settings, known_variables, shipped_corpus


def test_the_environment_and_then_the_env_file_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("READBACK_PORT=1234\nREADBACK_MODE=extractive\nOTHER_PROGRAM=1\n")
    monkeypatch.setenv("READBACK_PORT", "4321")
    settings = Settings.load()
    assert (settings.port, settings.mode) == (4321, "extractive")
    assert Settings.load(port=99).port == 99  # an argument of the caller comes first


@pytest.mark.parametrize(
    ("name", "hint"),
    [("READBACK_DATADIR", "Did you mean READBACK_DATA_DIR?"), ("READBACK_XYZZY_PLUGH", ".env.example lists all")],
)
def test_an_unknown_variable_is_refused_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    (tmp_path / ".env").write_text(f"# a comment\nexport {name}='x'\n")
    with pytest.raises(SettingsError, match=rf"{name} \(in \.env\) is not a setting") as caught:
        Settings.load()
    assert hint in str(caught.value)
    (tmp_path / ".env").unlink()
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=f"{name} is not a setting") as caught:
        Settings.load()
    assert hint in str(caught.value)


def test_a_commented_out_or_empty_variable_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# READBACK_NONSENSE=1\nREADBACK_MODE=\nOPENAI_API_KEY=\n")
    settings = Settings.load()
    assert settings.mode == "auto"
    assert not settings.has_model


def test_an_env_file_that_is_no_text_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"READBACK_MODE=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        Settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("READBACK_PORT", "many"),
        ("READBACK_PORT", "70000"),
        ("READBACK_CHUNK_TOKENS", "10"),
        ("READBACK_RETRIEVED_PAPERS", "1000"),
        ("READBACK_CHROMA_URL", "localhost:8000"),
        ("READBACK_COLLECTION", "a b"),
        ("READBACK_MODE", "written"),
        ("READBACK_RETRIEVED_PAPERS", "5"),  # an answer carries ten
        ("READBACK_TIMEOUT_S", "0"),
        ("OPENAI_BASE_URL", "127.0.0.1:11434"),
        ("READBACK_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"^{name}: ") as caught:
        Settings.load()
    assert "\n" not in str(caught.value)


def test_a_wrong_argument_names_the_variable_too() -> None:
    with pytest.raises(SettingsError, match=r"^OPENAI_BASE_URL: "):
        Settings.load(openai_base_url="nowhere")
    with pytest.raises(SettingsError, match=r"^READBACK_PORT: "):
        Settings.load(port="x")


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "READBACK_EVENTS_URL", "READBACK_API_KEYS"])
def test_secrets_are_never_printed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "s3cret-value-of-many-letters")
    settings = Settings.load()
    for shown in (repr(settings), str(settings), settings.model_dump_json(), f"{settings!r}"):
        assert "s3cret" not in shown


def test_an_error_does_not_repeat_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READBACK_CHROMA_URL", "s3cret:8000")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert "s3cret" not in str(caught.value)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().port = 1


@pytest.mark.parametrize(
    ("given", "has_model", "writes"),
    [
        ({}, False, False),
        ({"OPENAI_API_KEY": "k"}, True, True),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, True, True),
        ({"OPENAI_API_KEY": "k", "READBACK_MODE": "extractive"}, True, False),
        ({"READBACK_MODE": "generative"}, False, True),  # which is then an error that says what is missing
    ],
)
def test_a_model_writes_when_one_is_configured(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], has_model: bool, writes: bool
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert (settings.has_model, settings.writes) == (has_model, writes)


def test_every_variable_has_a_name_of_ours_or_of_openai() -> None:
    assert all(name.startswith(("READBACK_", "OPENAI_")) for name in known_variables())
    assert shipped_corpus().is_file()
