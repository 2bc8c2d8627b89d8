"""``readback ask``: what people and programs get, and the exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rag import Assistant
from rag.errors import ReadbackError
from tests.engine.shared import ABOUT_CTRL, ABOUT_TPRF, CTRL, TPRF, UNKNOWN, index_shipped
from ui.cli import group

ROOT = Path(__file__).parents[2]
START = "from ui.cli import main; main()"


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the shipped papers are indexed."""
    return index_shipped(tmp_path_factory)


@pytest.fixture(autouse=True)
def _over_the_shipped_papers(monkeypatch: pytest.MonkeyPatch, shipped: Path, tmp_path: Path) -> None:
    monkeypatch.setenv("READBACK_DATA_DIR", str(shipped))
    monkeypatch.setenv("READBACK_EVENTS_URL", f"sqlite:///{tmp_path / 'events.db'}")  # the folder is for reading alone


def readback(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run a command in this process. Errors meant for the user stay exceptions."""
    return CliRunner().invoke(group, arguments, input=stdin)


def one_json(*arguments: str, stdin: str | bytes | None = None) -> dict[str, Any]:
    """The one JSON object that a command prints."""
    result = readback("ask", "--json", *arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def batch(tmp_path: Path, lines: list[Any], *arguments: str) -> tuple[list[dict[str, Any]], Result]:
    """Rows of --out, and the result. lines: str and bytes as they are, all else as JSON."""
    encoded = [
        line if isinstance(line, bytes) else line.encode() if isinstance(line, str) else json.dumps(line).encode()
        for line in lines
    ]
    (tmp_path / "questions.jsonl").write_bytes(b"\n".join(encoded))
    out = tmp_path / "answers.jsonl"
    result = readback("ask", "--batch", str(tmp_path / "questions.jsonl"), "--out", str(out), *arguments)
    text = out.read_text(encoding="utf-8") if out.exists() else ""
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]], result


def asks(name: object, *questions: str) -> dict[str, Any]:
    """One line of a batch."""
    return {"id": name, "turns": [{"question": question} for question in questions]}


def test_an_answer_for_people_names_its_sources() -> None:
    result = readback("ask", ABOUT_CTRL)
    assert result.exit_code == 0
    answer, _, sources = result.stdout.partition("\n\nSources\n")
    assert "“" in answer
    assert "[1]" in answer
    assert sources.startswith("  [1]")
    assert "OPENAI_API_KEY" in result.stderr  # the notice is no part of the answer


def test_an_abstention_is_not_an_error() -> None:
    result = readback("ask", UNKNOWN)
    assert result.exit_code == 0
    assert "does not answer" in result.stdout
    assert "Sources" not in result.stdout
    assert "Taken back" not in result.stdout


def test_json_is_one_answer() -> None:
    found = one_json(ABOUT_TPRF)
    assert found["question"] == ABOUT_TPRF
    assert found["citations"][0]["paper_id"] == TPRF
    assert len(found["retrieved"]) == 10


def test_a_dash_reads_standard_input() -> None:
    assert one_json("-", stdin=f"{ABOUT_TPRF}\n")["question"] == ABOUT_TPRF
    assert one_json("-", stdin=b"dense \xff\xfe retrieval feedback")["question"].startswith("dense")


def test_no_question_is_a_message() -> None:
    assert "empty" in str(readback("ask", "-", stdin="").exception)


def test_why_says_how_the_last_answer_was_found() -> None:
    found = one_json(ABOUT_CTRL)
    readback("ask", ABOUT_TPRF)
    assert f"asked:     {ABOUT_TPRF}" in readback("why").stdout
    assert f"asked:     {ABOUT_CTRL}" in readback("why", found["id"]).stdout


def test_where_no_words_are_kept_why_has_none_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READBACK_KEEP_QUESTIONS", "false")
    assert readback("ask", ABOUT_TPRF).exit_code == 0
    assert "not its words" in str(readback("why").exception)


def test_the_number_of_papers() -> None:
    found = one_json("Which papers use pseudo relevance feedback?", "--papers", "2")
    assert len({one["paper_id"] for one in found["citations"]}) <= 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--nonsense", "x"],
        ["one", "two"],
        ["--papers", "0", "x"],
        ["--papers", "many", "x"],
        ["--batch", "q.jsonl"],
        ["x", "--batch", "q.jsonl", "--out", "a.jsonl"],
        ["x", "--out", "a.jsonl"],
        ["--batch", ".", "--out", "a.jsonl"],
    ],
)
def test_wrong_use_is_explained(arguments: list[str]) -> None:
    result = readback("ask", *arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert result.stdout == ""


def test_an_unknown_command_is_explained() -> None:
    result = readback("aks", "x")
    assert result.exit_code == 2
    assert "aks" in result.stderr


def test_a_written_answer_without_a_model_is_a_message() -> None:
    result = readback("ask", "--written", ABOUT_CTRL)
    assert isinstance(result.exception, ReadbackError)
    assert "OPENAI_API_KEY" in str(result.exception)


def test_a_batch_keeps_the_order_and_gives_a_line_for_a_line(tmp_path: Path) -> None:
    lines = [
        asks("a", ABOUT_CTRL),
        "{this is no JSON",
        asks("b", UNKNOWN),
        {"id": "no turns"},
        {"id": "empty turns", "turns": []},
        {"id": "null turns", "turns": None},
        {"id": "bad turn", "turns": ["x"]},
        {"id": "bad question", "turns": [{"question": None}]},
        "[1, 2]",
        "null",
        "[" * 100_000,
        b'{"id": "latin", "turns": [{"question": "caf\xe9"}]}',
        asks("\ud800", ""),
        {"turns": [{"question": ABOUT_TPRF}], "more": "is ignored"},
        asks(7, ABOUT_TPRF, "How much memory does it need?"),
        '{"id": "separator", "turns": [{"question": "dense\u2028retrieval\x85feedback"}]}',
    ]
    rows, result = batch(tmp_path, lines)
    assert [row["id"] for row in rows] == [
        "a", "line 2", "b", "no turns", "empty turns", "null turns", "bad turn", "bad question", "line 9", "line 10",
        "line 11", "line 12", "\ud800", "line 14", 7, "separator",
    ]  # fmt: skip
    bad = {1, 3, 4, 5, 6, 7, 8, 9, 10, 11}
    for place, row in enumerate(rows):
        assert {"id", "answer", "abstained", "cited_titles", "retrieved_titles", "result"} <= set(row)
        assert (row["result"] is None) == (place in bad)
        assert ("error" in row) == (place in bad)
        if place in bad:
            assert row["error"].startswith(f"line {place + 1}: ")
            assert (row["answer"], row["abstained"], row["cited_titles"]) == ("", True, [])
    assert isinstance(result.exception, ReadbackError)
    assert str(result.exception).startswith("10 of the questions could not be answered")
    assert rows[0]["answer"] == rows[0]["result"]["text"]
    assert rows[2]["abstained"] is True
    assert len(rows[2]["retrieved_titles"]) == 10
    assert rows[14]["result"]["question"] == "How much memory does it need?"
    assert rows[14]["result"]["retrieved"][0]["paper_id"] == TPRF


def test_a_bug_with_one_line_does_not_cost_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = Assistant.ask

    def sometimes(self: Assistant, question: str, *more: Any) -> Any:
        if question == "boom":
            raise ZeroDivisionError("by zero")
        return ask(self, question, *more)

    monkeypatch.setattr(Assistant, "ask", sometimes)
    rows, result = batch(tmp_path, [asks("a", "boom"), asks("b", ABOUT_CTRL)])
    assert rows[0]["error"] == "line 1: a bug: ZeroDivisionError: by zero"
    assert rows[1]["result"]
    assert str(result.exception).startswith("1 of the questions")


def test_a_batch_is_answered_as_single_questions_are(tmp_path: Path) -> None:
    questions = [ABOUT_CTRL, UNKNOWN, ABOUT_TPRF, "Which papers use pseudo relevance feedback?"]
    rows, result = batch(tmp_path, [asks(place, question) for place, question in enumerate(questions)])
    assert result.exit_code == 0
    for row, question in zip(rows, questions, strict=True):
        alone = one_json(question)
        assert row["answer"] == alone["text"]
        assert row["retrieved_titles"] == [paper["title"] for paper in alone["retrieved"]]
        assert row["cited_titles"] == list(dict.fromkeys(one["title"] for one in alone["citations"]))
        assert row["abstained"] == alone["abstained"]


@pytest.mark.parametrize("content", [b"", b"\n\n \n", b"\xef\xbb\xbf"])
def test_an_empty_batch_gives_an_empty_file(tmp_path: Path, content: bytes) -> None:
    rows, result = batch(tmp_path, [content])
    assert rows == []
    assert result.exit_code == 0


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    line = json.dumps(asks("a", ABOUT_CTRL)).encode()
    rows, result = batch(tmp_path, [b"\xef\xbb\xbf" + line + b"\r", line + b"\r", b""])
    assert result.exit_code == 0
    assert [row["id"] for row in rows] == ["a", "a"]


@pytest.mark.parametrize(
    ("questions", "out", "message"),
    [("missing.jsonl", "a.jsonl", "cannot be read"), ("q.jsonl", "no/such/folder/a.jsonl", "cannot be written")],
)
def test_a_batch_file_that_cannot_be_used_is_named(tmp_path: Path, questions: str, out: str, message: str) -> None:
    (tmp_path / "q.jsonl").write_text(json.dumps(asks("a", ABOUT_CTRL)))
    result = readback("ask", "--batch", str(tmp_path / questions), "--out", str(tmp_path / out))
    assert isinstance(result.exception, ReadbackError)
    assert message in str(result.exception)
    assert str(tmp_path) in str(result.exception)


def test_the_questions_are_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(json.dumps(asks("a", ABOUT_CTRL)))
    result = readback("ask", "--batch", str(file), "--out", str(tmp_path / "." / "q.jsonl"))
    assert result.exit_code == 2
    assert json.loads(file.read_text())["id"] == "a"


def _closed_network() -> list[str]:
    """What goes before a command so that it has no network; nothing where that is not permitted."""
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0:
        return [unshare, "-rn"]
    return []


def _command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    """The real program, and an environment in which every proxy points nowhere."""
    nowhere = dict.fromkeys(
        ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
    )
    environment = {**os.environ, **nowhere, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    return [*_closed_network(), sys.executable, "-c", START, *arguments], environment


def test_the_real_program_answers_with_the_network_closed() -> None:
    command, environment = _command("ask", "--json", ABOUT_CTRL)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["retrieved"][0]["paper_id"] == CTRL
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ask"], 2, "Give a question"),
        (["ask", "--nonsense", "x"], 2, "No such option"),
        (["ask", "--written", "x"], 1, "readback: A written answer needs a language model"),
        (["ask", "--batch", "missing.jsonl", "--out", "a.jsonl"], 1, "readback: missing.jsonl: cannot be read"),
    ],
)
def test_exit_codes_of_the_real_program(arguments: list[str], code: int, message: str) -> None:
    command, environment = _command(*arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_reader_that_goes_away_is_no_error() -> None:
    command, environment = _command("ask", ABOUT_CTRL)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()  # before it has written a word
        errors = program.stderr.read()
        assert program.wait(timeout=120) in (0, 1)  # 1 is what click ends with
    assert "Traceback" not in errors
    assert "bug" not in errors
    assert "BrokenPipe" not in errors
