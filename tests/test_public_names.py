"""What ``import rag`` gives, and that it is quick."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rag

ROOT = Path(__file__).parents[1]
HEAVY = (
    "bm25s", "chromadb", "fastapi", "gradio", "llama_index", "numpy", "onnxruntime", "openai", "pydantic", "scipy",
    "sklearn", "sqlalchemy", "tiktoken", "tokenizers",
)  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after this code."""
    program = f"import sys, json\nsys.path.insert(0, {str(ROOT)!r})\n{code}\nprint('\\n' + json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_names_are_sorted_distinct_and_there() -> None:
    assert sorted(rag.__all__) == rag.__all__
    assert len(set(rag.__all__)) == len(rag.__all__)
    for name in rag.__all__:
        assert getattr(rag, name) is not None


def test_star_imports_all_of_them() -> None:
    found: dict[str, Any] = {}
    exec("from rag import *", found)
    assert set(rag.__all__) <= set(found)


@pytest.mark.parametrize("name", rag.__all__)
def test_every_name_is_documented(name: str) -> None:
    thing = getattr(rag, name)
    if name == "StreamEvent":
        return  # a union, explained beside its definition
    assert thing.__doc__
    assert not thing.__doc__.startswith(f"{name}("), "that is what a dataclass writes by itself"
    if not inspect.isclass(thing):
        return
    for member_name, member in vars(thing).items():
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        public = not member_name.startswith(("_", "model_"))
        if public and (inspect.isfunction(plain) or isinstance(plain, property)):
            assert plain.__doc__, f"{name}.{member_name}"


@pytest.mark.parametrize("name", ["ask", "Assistant", "Conversation", "Settings"])
def test_lazy_names_are_the_real_ones(name: str) -> None:
    module = sys.modules[getattr(rag, name).__module__]
    assert getattr(module, name) is getattr(rag, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = rag.nonsense


def test_every_name_is_typed() -> None:
    for name in ("ask", "Assistant"):
        thing = getattr(rag, name)
        for function in [thing] if inspect.isfunction(thing) else [thing.ask, thing.stream, thing.open, thing.search]:
            signature = inspect.signature(function)
            assert signature.return_annotation is not inspect.Signature.empty
            for parameter in signature.parameters.values():
                assert parameter.name == "self" or parameter.annotation is not inspect.Parameter.empty


@pytest.mark.parametrize(
    "code",
    [
        "import rag",
        "from rag import Answer, Paper, ReadbackError",
        "import ui.cli",
    ],
)
def test_starting_is_light(code: str) -> None:
    assert loaded_by(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_is_light(arguments: list[str]) -> None:
    code = (
        "from ui.cli import main\n"
        f"sys.argv = ['readback', *{arguments}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code in (0, 2), end.code"
    )
    assert loaded_by(code).isdisjoint(HEAVY)


def test_asking_does_not_import_what_only_a_server_or_a_model_needs() -> None:
    assert loaded_by("import rag.engine, ui.cli.ask").isdisjoint(
        {"fastapi", "gradio", "llama_index", "openai", "sklearn", "sqlalchemy"}
    )
