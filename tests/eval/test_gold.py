"""The gold questions: strict reading, the split by papers, facts found as whole words and numbers, the frozen hash."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.gold import GOLD, PAPERS, STYLES, expand, load_gold
from eval.goldcheck import check_facts, current_hashes, freeze, gold_hash, read_abstracts
from eval.metrics.facts import holds_fact
from rag.errors import CorpusError

SPLIT = {
    "topics": {"search": "Search", "speech": "Speech"},
    "papers": {
        "a": {"topic": "search", "split": "dev"},
        "b": {"topic": "speech", "split": "dev"},
        "c": {"topic": "speech", "split": "test"},
    },
}
SINGLE: dict[str, Any] = {
    "id": "single-001",
    "kind": "single",
    "expects": "answer",
    "turns": [{"question": "Who drops recurrence?"}],
    "gold": {"a": 2, "c": 1},
    "facts": [["Transformer", "attention only"]],
    "phrasings": [{"asker": "terse", "question": "no recurrence"}],
    "near": ["b"],
}
SCOPE: dict[str, Any] = {
    **SINGLE,
    "id": "scope-001",
    "kind": "out_of_scope",
    "expects": "abstain",
    "gold": {},
    "facts": [],
    "phrasings": [],
    "near": [],
}
TALK: dict[str, Any] = {
    **SINGLE,
    "id": "conv-001",
    "kind": "conversation",
    "turns": [{"question": "Any transformers?"}, {"question": "Who invented them?"}],
    "standalone": "Who invented transformers?",
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_folder(*records: dict[str, Any] | str, split: object = SPLIT) -> Path:
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        (tmp_path / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (tmp_path / "split.json").write_text(json.dumps(split), encoding="utf-8")
        return tmp_path

    return write_folder


def test_a_line_becomes_a_question(write: Write) -> None:
    (question,) = load_gold(folder=write(SINGLE))
    assert question.id == "single-001"
    assert question.question == question.standalone == "Who drops recurrence?"
    assert question.gold == {"a": 2, "c": 1}
    assert question.facts == (("Transformer", "attention only"),)
    assert (question.split, question.topic) == ("dev", "search")
    assert question.answerable
    assert question.style is None
    assert pickle.loads(pickle.dumps(question)) == question


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "x"}, "answer: Extra inputs"),
        ({"id": "a#b"}, "id: String should match"),
        ({"id": ""}, "id: String should match"),
        ({"kind": "riddle"}, "kind 'riddle'"),
        ({"expects": "abstain"}, "expects 'abstain'"),
        ({"turns": []}, "turns: List should have at least 1"),
        ({"turns": [{"question": "x"}] * 2}, "2 turns"),
        ({"turns": [{"question": "x", "answer": "y"}]}, "turns.0.answer: Extra inputs"),
        ({"turns": ["x"]}, "turns.0: Input should be a valid dictionary"),
        ({"gold": {"a": 3}}, "gold.a: Input should be 1 or 2"),
        ({"gold": {"a": 1.5}}, "gold.a: Input should be 1 or 2"),
        ({"gold": {"a": 1}}, "needs a gold paper of grade 2"),
        ({"gold": {"a": 2, "c": 2}}, "a in dev, c in test"),
        ({"gold": {"z": 2}}, "does not know the paper 'z'"),
        ({"near": ["z"]}, "does not know the paper 'z'"),
        ({"near": "a"}, "near: Input should be a valid list"),
        ({"facts": []}, "needs a gold paper of grade 2 and a fact"),
        ({"facts": [[]]}, "facts.0: List should have at least 1"),
        ({"facts": [["x", " "]]}, "facts.0.1: String should match"),
        ({"phrasings": [{"asker": "terse", "question": "x"}] * 2}, "askers must differ"),
        ({"phrasings": [{"asker": "standalone", "question": "x"}]}, "askers must differ"),
        ({"phrasings": [{"asker": "terse", "question": "x", "by": "me"}]}, "phrasings.0.by: Extra inputs"),
        ({"note": 3}, "note: Input should be a valid string"),
        ({"style": "sung"}, "style: Input should be 'plain'"),
        ({"kind": "conversation", "turns": [{"question": "x"}] * 2}, "needs 'standalone'"),
        ({"kind": "unanswerable", "expects": "abstain"}, "neither gold papers nor facts"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_reason(write: Write, change: dict[str, Any], reason: str) -> None:
    folder = write(SCOPE, {**SINGLE, **change})
    with pytest.raises(CorpusError) as caught:
        load_gold(folder=folder)
    assert reason in str(caught.value)
    assert (Path(caught.value.file).name, caught.value.line) == ("questions.jsonl", 2)


@pytest.mark.parametrize("key", ["id", "kind", "expects", "turns", "gold", "facts", "phrasings", "near"])
def test_no_key_may_be_missing(write: Write, key: str) -> None:
    record = {name: value for name, value in SINGLE.items() if name != key}
    with pytest.raises(CorpusError, match=f"line 1: {key}: Field required"):
        load_gold(folder=write(record))


@pytest.mark.parametrize(
    ("line", "reason"),
    [("{", "not one JSON object"), ("[]", "not one JSON object"), ('{"id": "a", "id": "b"}', "'id' is given twice")],
)
def test_what_is_no_json_object_is_refused(write: Write, line: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=rf"line 2: .*{reason}"):
        load_gold(folder=write(SINGLE, line))


def test_an_id_is_used_once(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"line 3: the id 'single-001' is used before, in .*line 1"):
        load_gold(folder=write(SINGLE, SCOPE, SINGLE))


@pytest.mark.parametrize(
    "split",
    [
        {},
        [],
        {"topics": {}, "papers": {"a": {"topic": "search", "split": "dev"}}},
        {"topics": {"search": ""}, "papers": {"a": {"topic": "search", "split": "train"}}},
    ],
)
def test_a_bad_split_is_refused(write: Write, split: object) -> None:
    with pytest.raises(CorpusError, match=r"split\.json: not a split"):
        load_gold(folder=write(SINGLE, split=split))


def test_an_empty_folder_is_refused(write: Write) -> None:
    folder = write()
    (folder / "questions.jsonl").unlink()
    with pytest.raises(CorpusError, match="no gold questions"):
        load_gold(folder=folder)


def test_a_question_without_gold_follows_the_nearest_paper_or_a_hash(write: Write) -> None:
    near = {**SCOPE, "id": "scope-000", "near": ["c", "a"]}
    others = [{**SCOPE, "id": f"scope-{number:03}"} for number in range(1, 41)]
    first, *rest = load_gold(folder=write(near, *others))
    assert (first.split, first.topic) == ("test", "speech")
    splits = {question.id: question.split for question in rest}
    assert set(splits.values()) == {"dev", "test"}
    assert splits["scope-001"] == load_gold(folder=write(SCOPE))[0].split  # whatever else there is


def test_split_and_kinds_select(write: Write) -> None:
    folder = write(TALK, SINGLE, {**SINGLE, "id": "single-000", "gold": {"c": 2}})
    assert [question.id for question in load_gold("dev", folder=folder)] == ["conv-001", "single-001"]
    assert [question.id for question in load_gold("test", folder=folder)] == ["single-000"]
    assert [question.id for question in load_gold(kinds={"single"}, folder=folder)] == ["single-000", "single-001"]
    with pytest.raises(ValueError, match="unknown split"):
        load_gold("train", folder=folder)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown kind riddle"):
        load_gold(kinds=["riddle"], folder=folder)


def test_expand_asks_in_every_phrasing_with_the_same_history(write: Write) -> None:
    (question,) = load_gold(folder=write(TALK))
    plain, terse, alone = expand(question, standalone=True)
    assert plain.to_dict() == {"id": "conv-001", "turns": TALK["turns"]}
    assert (terse.id, terse.turns) == ("conv-001#terse", ("Any transformers?", "no recurrence"))
    assert (alone.id, alone.turns) == ("conv-001#standalone", ("Who invented transformers?",))
    assert [item.id for item in expand(question)] == ["conv-001", "conv-001#terse"]


def test_a_single_question_has_no_stand_alone_item(write: Write) -> None:
    (question,) = load_gold(folder=write(SINGLE))
    assert [item.id for item in expand(question, standalone=True)] == ["single-001", "single-001#terse"]


def test_facts_are_looked_up_in_gold_abstracts_only(write: Write) -> None:
    (question,) = load_gold(folder=write(SINGLE))
    assert check_facts([question], {"a": "The\n TRANSFORMER.", "b": "", "c": ""}) == []
    assert check_facts([question], {"a": "", "b": "The Transformer.", "c": ""}) == [
        "single-001: no gold abstract holds the fact Transformer | attention only"
    ]
    assert check_facts([question], {"a": "Transformer", "c": ""}) == ["single-001: the collection has no paper 'b'"]


def test_the_hash_sees_content_and_nothing_else(write: Write) -> None:
    folder = write(SINGLE, TALK)
    before = gold_hash("dev", folder=folder)
    assert gold_hash("dev", folder=write(dict(reversed(TALK.items())), "", SINGLE)) == before
    assert gold_hash("test", folder=folder) != before
    test_question = {**SINGLE, "id": "single-002", "gold": {"c": 2}}
    assert gold_hash("dev", folder=write(SINGLE, TALK, test_question)) == before
    assert gold_hash("dev", folder=write({**SINGLE, "facts": [["transformers"]]}, TALK)) != before


def test_freeze_writes_what_the_folder_holds(write: Write) -> None:
    folder = write(SINGLE, TALK)
    file = freeze(folder)
    assert file.name == "HASHES.json"
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "dev": {"questions": 2, "sha256": gold_hash("dev", folder=folder)},
        "test": {"questions": 0, "sha256": gold_hash("test", folder=folder)},
    }


def test_the_shipped_questions_are_frozen() -> None:
    frozen = json.loads((GOLD / "HASHES.json").read_text(encoding="utf-8"))
    assert current_hashes() == frozen, "a gold question changed: if it should, run `readback eval gold freeze`"


def test_the_shipped_questions_are_as_many_as_promised() -> None:
    questions = load_gold()
    kinds = Counter(question.kind for question in questions)
    wanted = {"single": 80, "fact": 65, "multi": 40, "unanswerable": 190, "false_premise": 15, "out_of_scope": 10}
    wanted |= {"conversation": 95, "everyday": 130, "list": 25, "comparison": 20}
    assert all(kinds[kind] >= count for kind, count in wanted.items())
    assert sum(len(question.phrasings) >= 3 for question in questions) >= 60


def test_styles_do_not_tell_answerable_from_unanswerable() -> None:
    styled = [question for question in load_gold() if question.style and question.kind != "conversation"]
    for answerable in (True, False):
        some = [question for question in styled if question.answerable == answerable]
        shares = Counter(question.style for question in some)
        assert len(some) > 150
        assert {style for style in STYLES if shares[style] / len(some) > 0.03} == set(STYLES)
        assert 9 < sum(len(question.question.split()) for question in some) / len(some) < 12


def test_chat_requests_say_what_a_fitting_reply_does() -> None:
    lines = (GOLD / "chat" / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    requests = [json.loads(line) for line in lines]
    assert len({request["id"] for request in requests}) == len(requests) >= 30
    assert all(set(request) == {"id", "turns", "intent", "expects", "split"} for request in requests)
    assert Counter(request["split"] for request in requests) == {"dev": 32, "test": 16}


@pytest.mark.skipif(not PAPERS.is_file(), reason="the shipped corpus is not built yet")
def test_every_fact_of_the_shipped_questions_stands_in_a_gold_abstract() -> None:
    assert check_facts(load_gold(), read_abstracts()) == []


def test_abstracts_are_read_by_id(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    file.write_text('{"id": "a", "title": "T", "abstract": "Text."}\n{"id": "b"}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match="a line has no 'abstract'"):
        read_abstracts(file)
    file.write_text('{"id": "a", "title": "T", "abstract": "Text."}\n', encoding="utf-8")
    assert read_abstracts(file) == {"a": "Text."}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("It takes 14 days.", "14"),
        ("It takes 14.", "14"),
        ("(14)", "14"),
        ("the 14-day trial", "14"),
        ("a gain of 6%", "6%"),
        ("a gain of 6 %, nearly", "6%"),
        ("a gain of 6 per cent", "6 percent"),
        (r"a gain of $6\%$", "6%"),
        ("from 5\u201319% on", "5-19%"),
        ("7,008 queries", "7008"),
        ("7008 queries", "7,008"),
        ("needs 5\u00d7 less", "5x less"),
        ("BLACK\n  box models", "black-box"),
        ("the user\u2019s \u201cown\u201d words", 'the user\'s "own" words'),
        ("**ReFeed** helps", "refeed"),
        ("it won 82.4 [1] times", "82.4"),
        ("improves by +3.5 points", "+3.5"),
        ("GPT-4 wins", "GPT-4"),
    ],
)
def test_a_fact_is_found_however_it_is_typeset(text: str, form: str) -> None:
    assert holds_fact(text, [form])


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("in 2014", "14"),
        ("14.5 points", "14"),
        ("3.14 points", "14"),
        ("14,500 users", "14"),
        ("14k users", "14"),
        ("GPT-14 wins", "14"),
        ("as shown [14]", "14"),
        ("as shown [3, 14]", "14"),
        ("a gain of 16%", "6%"),
        ("a gain of 1.6%", "6%"),
        ("a gain of 6", "6%"),
        ("rapla is not it", "RAPL"),
        ("useless efficiently", "less efficiently"),
        ("15x less", "5x less"),
        ("", "x"),
    ],
)
def test_part_of_a_word_or_number_is_no_fact(text: str, form: str) -> None:
    assert not holds_fact(text, [form])


def test_any_one_form_will_do_and_none_is_an_error() -> None:
    assert holds_fact("one and two", ["three", "two"])
    with pytest.raises(ValueError, match="at least one"):
        holds_fact("text", [])
    with pytest.raises(ValueError, match="empty"):
        holds_fact("text", ["text", " "])
