"""The shipped papers, the real engine and forty development questions against the floors of ``eval/floors.toml``."""

from __future__ import annotations

from click.testing import CliRunner

from eval.commands import evaluation


def test_the_product_holds_its_floors() -> None:
    done = CliRunner().invoke(evaluation, ["run", "--fast", "--systems", "readback", "--no-blame"])
    assert "ndcg@10" in done.stdout, done.stderr
    assert done.exit_code == 0, done.stderr
