"""Everything the environment decides, read once; the rest of the code is handed values."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError

PREFIX = "READBACK_"
EMBEDDED_MODEL = "all-MiniLM-L6-v2"
CHOSEN = "setup.json"  # in the data folder: the model and embedder that were chosen on the page
MODEL_VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "READBACK_CHAT_MODEL")
CHECKOUT = Path(__file__).resolve().parent.parent


def default_data_dir() -> Path:
    """``.readback`` inside a checkout, else the user's data folder: the same from every working directory."""
    if (CHECKOUT / "pyproject.toml").is_file():
        return CHECKOUT / ".readback"
    import platformdirs

    return Path(platformdirs.user_data_dir("readback", appauthor=False))


def shipped_corpus() -> Path:
    """The papers that come with Readback: in a checkout ``data/``, in a wheel inside the package."""
    for candidate in (CHECKOUT / "data" / "papers.jsonl", Path(__file__).with_name("data") / "papers.jsonl"):
        if candidate.is_file():
            return candidate
    raise SettingsError("The shipped corpus data/papers.jsonl is missing: reinstall Readback.")


class Settings(BaseSettings):
    """One frozen record of all settings; ``Settings.load()`` raises SettingsError naming the variable at fault."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore", populate_by_name=True
    )

    # where things are
    data_dir: Path = Field(default_factory=default_data_dir)
    chroma_url: str | None = None  # e.g. http://127.0.0.1:8000; unset: embedded in data_dir
    collection: str = Field(
        default="readback", min_length=3, max_length=60, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]+[a-zA-Z0-9]$"
    )

    # finding papers
    embed_model: str = EMBEDDED_MODEL  # the embedded model, "onnx:/folder" or "openai:model-name"
    chunk_tokens: int = Field(default=400, ge=64, le=8000)  # an abstract up to this length is one passage
    retrieved_papers: int = Field(default=10, ge=10, le=100)  # length of the ranking that every answer carries

    # writing answers
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")  # never printed
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    chat_model: str = "gpt-4o-mini"
    mode: Literal["auto", "extractive", "generative"] = "auto"  # auto: written when a model is configured
    context_tokens: int = Field(default=8000, ge=512)  # prompt and answer together must fit
    prompt_price: float | None = Field(default=None, ge=0)  # dollars per million tokens; unset: a list price, if known
    completion_price: float | None = Field(default=None, ge=0)
    answer_tokens: int = Field(default=600, ge=32, le=8000)  # longest written answer
    timeout_s: float = Field(default=60.0, gt=0)  # per provider call, seconds
    answer_s: float = Field(default=120.0, gt=0)  # longest time for an answer, seconds; then it is cut off
    retries: int = Field(default=2, ge=0, le=10)  # further tries after 429, 5xx and lost connections
    structured_output: bool = True  # whether the server is asked to keep its plan to a JSON schema
    small_model: bool = False  # short rules and few passages, for models of a few billion parameters
    on_model_failure: Literal["extractive", "error"] = "extractive"
    second_opinion: bool = False  # the model checks its answer too, in one more call; for capable models
    unsupported: Literal["drop", "mark"] = "mark"  # what happens to a sentence that the abstracts contradict

    # the record of questions and feedback
    events_url: SecretStr | None = None  # e.g. postgresql://…; unset: events.db in data_dir; may hold a password
    retention_days: float | None = Field(default=None, gt=0, lt=100_000)  # older events are deleted; unset: kept
    keep_questions: bool = True  # whether the words of people are stored, or signals alone

    # the server
    host: str = "127.0.0.1"  # beyond loopback the server starts only with keys or users
    port: int = Field(default=7860, ge=0, le=65535)  # 0: any that is free
    public_hosts: str = ""  # names under which a proxy or network reaches it, separated by commas
    trusted_proxies: str | None = None  # addresses whose X-Forwarded-* headers count, separated by commas
    api_keys: SecretStr | None = None  # "name:key" or plain keys, separated by commas, 16 characters or more each
    users_file: Path | None = None  # made by `readback user add`; unset: users.json in data_dir
    session_days: float = Field(default=30, gt=0, le=365)  # how long a login lasts
    read_only: bool = False  # whether papers can be added and removed over the page and HTTP
    user_per_minute: int = Field(default=120, ge=0)  # questions of one user; 0: no limit
    address_per_minute: int = Field(default=1200, ge=0)  # questions from one address; 0: no limit
    question_chars: int = Field(default=4000, ge=100, le=4000)  # longest question
    history_turns: int = Field(default=100, ge=1, le=1000)  # longest conversation that a request may bring along
    body_kb: int = Field(default=1024, ge=16, le=100_000)  # largest request, uploads aside
    upload_mb: int = Field(default=50, ge=1, le=2000)  # largest upload

    # the journal of the program itself
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"

    @field_validator("openai_base_url", "chroma_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value

    @property
    def prices(self) -> tuple[float, float] | None:
        """Of prompts and completions, in dollars per million tokens; None if they are not set."""
        if self.prompt_price is None and self.completion_price is None:
            return None
        return self.prompt_price or 0.0, self.completion_price or 0.0

    @property
    def has_model(self) -> bool:
        """Whether a language model is configured: a key, or a server of one's own that may need none."""
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def writes(self) -> bool:
        """Whether answers are written by a language model by default."""
        return self.mode == "generative" or (self.mode == "auto" and self.has_model)

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Read the environment, ``.env``, and what was chosen on the page. Raises SettingsError naming what is wrong.

        The environment wins over ``.env``, and both over the page, where only what they leave open can be chosen.
        """
        refuse_unknown(os.environ)
        refuse_unknown(read_env_file(), " (in .env)")
        try:
            settings = cls(**overrides)  # type: ignore[arg-type]  # pydantic checks the values
            chosen = {name: value for name, value in read_chosen(settings.data_dir).items() if name not in overrides}
            return cls(**{**chosen, **overrides}) if chosen else settings  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsError(explain(error)) from None  # the original repeats the input, which may be a key


def known_variables() -> frozenset[str]:
    """Names of all variables that Settings reads."""
    return frozenset(
        str(field.validation_alias or PREFIX + name.upper()) for name, field in Settings.model_fields.items()
    )


def read_env_file(path: Path = Path(".env")) -> dict[str, str | None]:
    """The variables of a .env file; none if there is no such file."""
    from dotenv import dotenv_values

    if not path.is_file():
        return {}
    try:
        return dict(dotenv_values(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.resolve()} cannot be read: {error}.") from error


def decided_by_environment(*names: str) -> bool:
    """Whether the environment or ``.env`` sets one of these variables."""
    file = read_env_file()
    return any(os.environ.get(name) or file.get(name) for name in names)


def read_chosen(data_dir: Path) -> dict[str, str]:
    """What was chosen on the page, without what the environment decides: it decides on a model as a whole.

    Raises SettingsError for a file that nobody can read.
    """
    path = data_dir / CHOSEN
    try:
        found = json.loads(path.read_text("utf-8")) if path.exists() else {}
        chosen = {str(name): str(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}. Delete it, and choose the model again.") from error
    if decided_by_environment(*MODEL_VARIABLES):
        chosen = {name: value for name, value in chosen.items() if name == "embed_model"}
    if decided_by_environment("READBACK_EMBED_MODEL"):
        chosen.pop("embed_model", None)
    known = ("openai_api_key", "openai_base_url", "chat_model", "embed_model")
    return {name: value for name, value in chosen.items() if name in known and value}


def write_chosen(data_dir: Path, chosen: Mapping[str, str]) -> None:
    """Keep what was chosen on the page, readable by this user alone: it may hold a key. Raises SettingsError."""
    path, fresh = data_dir / CHOSEN, data_dir / f"{CHOSEN}.new"
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(dict(chosen), file)
        fresh.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}), so nothing was changed.") from error


def refuse_unknown(environ: Mapping[str, str | None], where: str = "") -> None:
    """Raise SettingsError for a READBACK_ variable that nothing reads: it is a typing error that would be missed.

    where: added to the variable's name in the message.
    """
    known = known_variables()
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            # without the prefix, which makes any two names look alike
            bare = [one.removeprefix(PREFIX) for one in known]
            near = difflib.get_close_matches(name.removeprefix(PREFIX), bare, n=1)
            hint = f" Did you mean {variable_of(near[0])}?" if near else " .env.example lists all settings."
            raise SettingsError(f"{name}{where} is not a setting of Readback.{hint}")


def explain(error: ValidationError) -> str:
    """The first fault as one line that names the variable, without repeating its value."""
    fault = error.errors(include_input=False, include_url=False)[0]
    name = str(fault["loc"][0]) if fault["loc"] else "the settings"
    return f"{variable_of(name)}: {fault['msg']}. See .env.example."


def variable_of(name: str) -> str:
    """The variable of a setting, given with or without prefix, in any case."""
    field = PREFIX + name.upper()
    return field if field in known_variables() else name.upper()
