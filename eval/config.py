"""What one evaluation does: read from a small TOML file, from options of the command line, or by default.

::

    name = "more weight on dense search"   # for people; part of nothing
    split = "dev"                          # or "test": each look at it is one too many to tune by
    kinds = ["single", "fact"]             # default: all
    systems = ["readback", "bm25"]         # default: all that can run
    phrasings = true                       # also ask in the words of other askers
    limit = 0                              # maximum number of questions, of all kinds in proportion; 0: all
    mode = "auto"                          # or "extractive", "generative"
    workers = 0                            # questions asked at once; 0: 1 on this machine, 4 with a model on a server
    [settings]                             # any setting of Readback but secrets and places
    retrieved_papers = 20
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from eval.gold import EXPECTS, SPLITS, Split
from eval.provenance import digest
from rag.errors import SettingsError
from rag.settings import Settings

Mode = Literal["auto", "extractive", "generative"]
READBACK, BM25, EMBEDDER, STARTER, CITATIONS = "readback", "bm25", "embedder", "llamaindex", "llamaindex-citations"
SYSTEMS = (READBACK, BM25, EMBEDDER, STARTER, CITATIONS)
FAST = 40  # questions of the fast subset
SECRET_OR_PLACE = frozenset({"openai_api_key", "data_dir", "chroma_url", "collection", "log_level"})


@dataclass(frozen=True, slots=True)
class Config:
    """One evaluation. What it says is checked when it is made; raises SettingsError naming what is wrong."""

    name: str = ""
    split: Split = "dev"
    kinds: tuple[str, ...] = ()  # empty: all
    systems: tuple[str, ...] = ()  # empty: all that can run
    phrasings: bool = True
    limit: int = 0  # 0: all
    mode: Mode = "auto"
    workers: int = 0  # 0: as fits
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _one_of("split", [self.split], SPLITS)
        _one_of("kinds", self.kinds, tuple(EXPECTS))
        _one_of("systems", self.systems, SYSTEMS)
        _one_of("mode", [self.mode], get_args(Mode))
        known = sorted(set(Settings.model_fields) - SECRET_OR_PLACE)
        _one_of("settings", self.settings, tuple(known))
        for name in ("limit", "workers"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} must be 0 or more, not {getattr(self, name)}.")

    @classmethod
    def read(cls, file: Path) -> Config:
        """From a TOML file. Raises SettingsError naming the file and what is wrong with it."""
        try:
            record = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
            raise SettingsError(f"{file} cannot be read as TOML: {error}") from error
        try:
            return cls(**{key: _checked(key, value) for key, value in record.items()})
        except SettingsError as error:
            raise SettingsError(f"{file}: {error}") from error

    def fast(self) -> Config:
        """A subset of the development split that takes seconds: what is looked at after every change."""
        return replace(self, split="dev", limit=FAST, phrasings=False)

    def with_settings(self, settings: Settings) -> Settings:
        """These settings with what the configuration says on top. Raises SettingsError for a value out of range."""
        given = {**self.settings, **({"mode": self.mode} if self.mode != "auto" else {})}
        if not given:
            return settings
        kept = {name: getattr(settings, name) for name in Settings.model_fields if name not in given}
        return Settings.load(**{**kept, **given})

    def deciding(self, settings: Settings) -> dict[str, Any]:
        """All that decides which questions are asked, of what and how. settings: as ``with_settings`` gives them."""
        own = {key: value for key, value in asdict(self).items() if key not in {"name", "workers", "settings", "mode"}}
        return {**own, "settings": public(settings)}

    def hash(self, settings: Settings) -> str:
        """Hash of ``deciding``: equal if and only if two evaluations ask the same of the same."""
        return digest(json.dumps(self.deciding(settings), sort_keys=True))


def public(settings: Settings) -> dict[str, Any]:
    """The settings that decide an answer, as plain values without secrets and places."""
    plain: dict[str, Any] = settings.model_dump(mode="json", exclude=set(SECRET_OR_PLACE))
    return {**plain, "has_model": settings.has_model}


def _checked(key: str, value: Any) -> Any:
    kinds = {each.name: str(each.type) for each in fields(Config)}
    _one_of("keys", [key], tuple(kinds))
    wanted: type = {"bool": bool, "int": int, "tuple[str, ...]": list, "Mapping[str, Any]": dict}.get(kinds[key], str)
    fits = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
    if not fits or (wanted is list and not all(isinstance(each, str) for each in value)):
        raise SettingsError(f"{key} must be {'a list of texts' if wanted is list else f'of type {wanted.__name__}'}.")
    return tuple(value) if wanted is list else value


def _one_of(what: str, given: Any, known: tuple[str, ...]) -> None:
    if unknown := [each for each in given if each not in known]:
        raise SettingsError(f"{what}: {unknown[0]!r} is not known. Choose from {', '.join(known)}.")
