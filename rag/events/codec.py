"""Answers as JSON and back, so that what was said can be shown again years and versions later."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from rag.types import Answer, Citation, Emphasis, Options, RetrievedPaper, Sentence, Usage

T = TypeVar("T")


def answer_json(answer: Answer) -> str:
    """The whole Answer, with its trace, as a line of strict JSON. A number that JSON cannot hold (NaN) becomes null."""
    fields = {**answer.to_dict(), "timings_ms": dict(answer.timings_ms), "trace": dict(answer.trace)}
    try:
        return json.dumps(fields, allow_nan=False)
    except ValueError:
        return json.dumps(json.loads(json.dumps(fields), parse_constant=lambda _: None))


def options_json(options: Options, *, keep_texts: bool) -> str | None:
    """What differs from the default, as JSON; None for nothing. keep_texts: whether a person's words may be in it."""
    default = Options()
    steered: dict[str, Any] = {
        one.name: sorted(value) if isinstance(value, frozenset) else value
        for one in dataclasses.fields(options)
        if (value := getattr(options, one.name)) != getattr(default, one.name)
    }
    if not keep_texts:
        steered.pop("standalone_question", None)
    return json.dumps(steered) if steered else None


def options_from_json(text: str | None) -> Options:
    """The options again; what they do not know any more is left out."""
    given = json.loads(text) if text else {}
    sets = {name: frozenset(value) for name, value in given.items() if isinstance(value, list)}
    return _build(Options, {**given, **sets})


def answer_from_json(text: str) -> Answer:
    """The Answer that was stored. Fields unknown to this version are left out, missing ones get their defaults.

    Raises ValueError if this is no Answer.
    """
    try:
        fields = json.loads(text)
        fields.setdefault("verdict", "refused" if fields.get("abstained") else "answered")  # before there were three
        return _build(
            Answer,
            fields,
            sentences=tuple(
                _build(Sentence, one, citations=tuple(one["citations"]), quotes=tuple(one.get("quotes", ())))
                for one in fields.get("sentences", ())
            ),
            citations=_all(Citation, fields.get("citations", ())),
            retrieved=_all(RetrievedPaper, fields.get("retrieved", ())),
            closest=_all(Citation, fields.get("closest", ())),
            emphasis=_all(Emphasis, fields.get("emphasis", ())),
            suggestions=tuple(fields.get("suggestions", ())),
            usage=_build(Usage, fields.get("usage", {})),
            recorded=True,
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not an Answer: {error}") from error


def _all(kind: type[T], rows: Iterable[Mapping[str, Any]]) -> tuple[T, ...]:
    return tuple(_build(kind, row) for row in rows)


def _build(kind: type[T], fields: Mapping[str, Any], **replaced: Any) -> T:
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # every kind is a dataclass
    return kind(**{name: value for name, value in {**fields, **replaced}.items() if name in known})


def finite(number: float | None) -> float | None:
    """The number, or None where a database or JSON could not hold it."""
    return None if number is None or not math.isfinite(number) else float(number)
