"""Counting tokens without a download, and what they cost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.pricing import PRICES, cost_usd
from rag.tokens import count_tokens


def in_new_process(code: str, **environ: str) -> str:
    """What a fresh interpreter prints: imports and environment variables cannot be tried twice in one."""
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("Attention is all you need.", 6), ("naïve 模型 🙂", 6), ("a" * 1000, 125), ("\ud800", 1)],
)
def test_counts_are_those_of_o200k(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_a_special_token_is_ordinary_text() -> None:
    assert count_tokens("<|endoftext|>") > 1


def test_a_run_of_spaces_that_breaks_the_pattern_is_counted_all_the_same() -> None:
    assert count_tokens(" " * 1_000_000) > 1000


def test_threads_that_start_together_share_one_table() -> None:
    code = (
        "import tiktoken, rag.tokens as t; from concurrent.futures import ThreadPoolExecutor as P\n"
        "loads = []; real = tiktoken.get_encoding\n"
        "tiktoken.get_encoding = lambda name: loads.append(name) or real(name)\n"
        "print(set(P(8).map(t.count_tokens, ['one two'] * 50)), loads)"
    )
    assert in_new_process(code) == "{2} ['o200k_base']"


def test_many_threads_count_alike() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(count_tokens, ["Attention is all you need."] * 200)) == {6}


def test_the_tables_come_from_the_installed_packages_without_importing_llama_index() -> None:
    code = (
        "import os, sys, rag.tokens as t; assert 'tiktoken' not in sys.modules; t.count_tokens('x')\n"
        "print(os.environ['TIKTOKEN_CACHE_DIR'].endswith('tiktoken_cache'), 'llama_index.core' in sys.modules)"
    )
    assert in_new_process(code) == "True False"


def test_a_folder_that_the_user_chose_stays() -> None:
    folder = in_new_process("import os, rag.tokens as t; t.count_tokens('x'); print(os.environ['TIKTOKEN_CACHE_DIR'])")
    code = "import os, rag.tokens as t; print(t.count_tokens('x'), os.environ['TIKTOKEN_CACHE_DIR'])"
    assert in_new_process(code, TIKTOKEN_CACHE_DIR=folder + "/.") == f"1 {folder}/."


def test_importing_the_edge_is_cheap() -> None:
    code = "import sys, rag.chat_model, rag.embed.openai_embedder; print({'openai', 'tiktoken'} & set(sys.modules))"
    assert in_new_process(code) == "set()"


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("gpt-4o-mini", 0.15 + 0.60),
        ("gpt-4o-mini-2024-07-18", 0.15 + 0.60),
        ("gpt-4o-2024-05-13", 5.0 + 15.0),
        ("gpt-4o-2024-11-20", 2.5 + 10.0),
        ("openai/gpt-4.1-nano", 0.10 + 0.40),
        ("text-embedding-3-small", 0.02),
        ("smollm2-135m", None),
        ("ft:gpt-4o-mini-2024-07-18:us::x", None),
        ("gpt-4o-mini-audio-preview", None),
    ],
)
def test_a_million_tokens_each_way_cost_the_list_price(model: str, dollars: float | None) -> None:
    cost = cost_usd(model, 1_000_000, 1_000_000)
    assert cost == (None if dollars is None else pytest.approx(dollars))


def test_a_local_server_costs_nothing_whatever_its_model_is_called() -> None:
    assert cost_usd("gpt-4o", 10**6, 10**6, local=True) == 0.0
    assert cost_usd("smollm2-135m", 10**6, 10**6, local=True) == 0.0


def test_every_model_family_has_a_price() -> None:
    assert {"gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "gpt-5-mini", "o3", "o4-mini"} <= set(PRICES)
