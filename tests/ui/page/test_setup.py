"""Choosing the language model on the page: tried, kept, in force at once, and only by whom it concerns."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
import pytest
import respx

from rag.collection import Collection
from rag.errors import ReadbackError, SettingsError
from rag.events.opening import open_store
from rag.settings import CHOSEN, Settings, read_chosen
from tests.ui.conftest import SharedAssistant, settings_for
from tests.ui.samples import REWRITES
from ui.page.about import About
from ui.services import Asker, Services

URL, KEY = "https://llm.example.org/v1", "sk-typed-on-the-page"
TYPED = {"base_url": URL, "key": KEY, "model": "writer-7b", "embedder": ""}
ADA = Asker("ada")
DELTA = {"choices": [{"index": 0, "delta": {"content": "ready"}, "finish_reason": "stop"}]}
USAGE = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}
STREAM = "".join(f"data: {one}\n\n" for one in (json.dumps(DELTA), json.dumps(USAGE), "[DONE]"))


@pytest.fixture
def own(tmp_path: Path, data_dir: Path, assistant: SharedAssistant, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Services of a person who runs Readback alone, in an empty folder, over the shared collection."""
    monkeypatch.chdir(tmp_path)
    settings = settings_for(tmp_path)
    collection: Collection = assistant.collection
    return Services(settings, SharedAssistant(settings, collection), open_store(settings))


def test_a_choice_is_tried_without_being_kept(own: Services, respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(f"{URL}/chat/completions").respond(text=STREAM)
    said = About(own).try_out({**TYPED, "part": "model"}, ADA.user)["said"]
    assert said.startswith("writer-7b answers: 1 tokens in ")
    request = route.calls.last.request
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content)["model"] == "writer-7b"
    assert not own.settings.has_model
    assert not (own.settings.data_dir / CHOSEN).exists()
    own.close()


def test_what_does_not_work_is_said(own: Services, respx_mock: respx.MockRouter) -> None:
    respx_mock.post(f"{URL}/chat/completions").respond(401, json={"error": {"message": "no such key"}})
    with pytest.raises(ReadbackError, match="OPENAI_API_KEY"):
        About(own).try_out({**TYPED, "part": "model"}, ADA.user)
    with pytest.raises(SettingsError, match="address of a server"):
        About(own).try_out({"part": "model"}, ADA.user)
    with pytest.raises(SettingsError, match="READBACK_EMBED_MODEL"):
        About(own).try_out({"part": "embedder", "embedder": "unheard-of"}, ADA.user)
    own.close()


def test_a_kept_choice_holds_at_once_and_after_a_restart(own: Services, respx_mock: respx.MockRouter) -> None:
    shown = About(own).save(TYPED, ADA.user)
    assert "written by writer-7b" in shown["html"]
    assert KEY not in shown["html"]
    route = respx_mock.post(f"{URL}/chat/completions").mock(side_effect=httpx.ConnectError("gone"))
    answer = own.asking.ask(REWRITES, asker=ADA, source="page")
    assert route.called, "the model that was chosen is asked"
    assert "The language model" in (answer.notice or "")
    file = own.settings.data_dir / CHOSEN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Settings.load(data_dir=own.settings.data_dir)
    assert (again.openai_base_url, again.chat_model) == (URL, "writer-7b")
    assert again.openai_api_key is not None
    assert again.openai_api_key.get_secret_value() == KEY
    own.close()


def test_a_kept_key_never_travels_to_another_address(own: Services) -> None:
    about = About(own)
    about.save(TYPED, ADA.user)
    about.save({**TYPED, "key": "", "model": "other"}, ADA.user)
    assert own.settings.openai_api_key is not None
    about.save({**TYPED, "key": "", "base_url": "https://elsewhere.example.org/v1"}, ADA.user)
    assert own.settings.openai_api_key is None
    own.close()


def test_the_environment_wins_over_what_was_chosen(own: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    About(own).save(TYPED, ADA.user)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings = Settings.load(data_dir=own.settings.data_dir)
    assert (settings.openai_base_url, settings.openai_api_key) == ("http://127.0.0.1:9/v1", None)
    assert settings.chat_model == Settings.model_fields["chat_model"].default
    html = About(own).show({}, ADA.user)["html"]
    assert "so it is changed there" in html
    assert 'name="base_url"' not in html
    own.close()


def test_another_embedder_is_kept_for_the_next_start_and_the_way_there_is_said(own: Services) -> None:
    said = About(own).save({"embedder": "openai:text-embedding-3-small"}, ADA.user)["said"]
    assert "readback index --rebuild" in said
    assert own.settings.embed_model == "all-MiniLM-L6-v2", "the collection is still embedded by the old one"
    assert Settings.load(data_dir=own.settings.data_dir).embed_model == "openai:text-embedding-3-small"
    own.close()


@pytest.mark.parametrize("values", [{"read_only": True}, {"api_keys": "team:0123456789abcdef"}])
def test_nobody_chooses_where_it_is_not_theirs(
    own: Services, assistant: SharedAssistant, values: dict[str, object]
) -> None:
    settings = settings_for(own.settings.data_dir, **values)
    about = About(Services(settings, SharedAssistant(settings, assistant.collection), own.store))
    assert 'name="base_url"' not in about.show({}, ADA.user)["html"]
    with pytest.raises(SettingsError, match="Whoever runs this Readback"):
        about.save(TYPED, ADA.user)
    assert not (settings.data_dir / CHOSEN).exists()
    own.close()


def test_a_damaged_choice_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / CHOSEN).write_text("[1")
    with pytest.raises(SettingsError, match=r"setup\.json cannot be read.*Delete it"):
        read_chosen(tmp_path)
