"""Other people's data: BEIR folders, SciFact's claims, SQuAD 2 and PubMedQA, in small."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from eval.baselines import Bm25, Ranked
from eval.collection import prepare
from eval.config import Config
from eval.lab.beir import HYBRID, RERANKED, Benchmark, MinMaxFusion, measure, rankers, read_benchmark
from eval.lab.benchmark import retrieval_table, run_retrieval
from eval.lab.claims import claims_table, measure_claims, precision_recall, read_claims
from eval.lab.qa import confidence_table, read_dataset
from eval.run import execute, grade, open_setup
from eval.stats import auc, auc_interval
from rag.errors import CorpusError
from rag.settings import Settings
from tests.eval.conftest import PAPERS

QUERIES = {"q1": ("how many dances of bees were filmed", "bees"), "q2": ("barnacles on turbines", "tides")}


def beir(folder: Path, *, packed: bool = False, nested: bool = False) -> Path:
    """The six papers as a folder in BEIR's format. A label stands beside each query."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = "".join(json.dumps({"_id": one.id, "title": one.title, "text": one.abstract}) + "\n" for one in PAPERS)
    corpus += json.dumps({"_id": "titled", "title": "Lone title", "text": ""}) + "\n"
    corpus += json.dumps({"_id": "empty", "title": "", "text": ""}) + "\n"
    if packed:
        (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus.encode()))
    else:
        (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    queries = [{"_id": name, "text": text, "label": "SECRET"} for name, (text, _) in QUERIES.items()]
    queries.append({"_id": "q3", "text": "not judged", "label": "SECRET"})
    (folder / "queries.jsonl").write_text("".join(json.dumps(one) + "\n" for one in queries), encoding="utf-8")
    file = folder / "qrels" / "test.tsv" if nested else folder / "qrels.tsv"
    file.parent.mkdir(exist_ok=True)
    lines = [
        "query-id\tcorpus-id\tscore",
        *(f"{name}\t{paper}\t1" for name, (_, paper) in QUERIES.items()),
        "q1\towls\t0",
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(("packed", "nested"), [(False, False), (True, True)])
def test_a_folder_is_read_whatever_its_shape(tmp_path: Path, packed: bool, nested: bool) -> None:
    found = read_benchmark(beir(tmp_path / "tiny", packed=packed, nested=nested))
    assert found.name == "tiny"
    assert [paper.id for paper in found.papers] == [*(paper.id for paper in PAPERS), "titled"]  # not the empty one
    assert found.papers[-1].abstract == "Lone title"
    assert found.qrels == {"q1": {"bees": 1}, "q2": {"tides": 1}}
    assert found.queries == {name: text for name, (text, _) in QUERIES.items()}
    assert "SECRET" not in repr(found)
    assert list(found.first(1).queries) == ["q1"]
    assert found.first(0) == found


def test_a_file_in_trecs_form_without_a_heading(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "qrels.tsv").write_text("q1 0 bees 2\nq2 0 tides 1\n", encoding="utf-8")
    assert read_benchmark(folder).qrels == {"q1": {"bees": 2}, "q2": {"tides": 1}}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("qrels.tsv", "q1\tbees\t1\nq2\ttides\tmuch\n", "line 2: expected a query id"),
        ("qrels.tsv", "q1\tunicorns\t1\n", "no query has a relevant document"),
        ("queries.jsonl", "{\n", "line 1: not one JSON object"),
        ("queries.jsonl", '{"_id": "q1"}\n', "'text' must be"),
        ("corpus.jsonl", "[]\n", "line 1: not one JSON object"),
        ("corpus.jsonl", None, "holds no corpus.jsonl or corpus.jsonl.gz"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, name: str, content: str | None, complaint: str) -> None:
    folder = beir(tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=complaint):
        read_benchmark(folder)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    folder = beir(tmp_path, packed=True)
    (folder / "corpus.jsonl.gz").write_bytes((folder / "corpus.jsonl.gz").read_bytes()[:60])
    with pytest.raises(CorpusError, match="cannot be read"):
        read_benchmark(folder)


def test_all_rankers_are_measured_and_kept(tmp_path: Path, settings: Settings) -> None:
    benchmark = read_benchmark(beir(tmp_path / "tiny"))
    started = rankers(benchmark, settings, settings.data_dir / "cache")
    first = next(started)
    seen: list[int] = []
    found = run_retrieval(benchmark, first, started, tmp_path, seen.append)
    assert list(found) == [RERANKED, HYBRID, "bm25", "min-max .5/.5", "embedder", "llamaindex"]
    assert sum(seen) == 12
    for name, scores in found.items():
        assert scores.values["ndcg@10"] == {"q1": 1.0, "q2": 1.0}, name
        assert all(ms > 0 for ms in scores.ms.values())
    record = json.loads((tmp_path / "retrieval" / "tiny.json").read_text("utf-8"))
    assert record["meta"]["queries"] == 2
    text = retrieval_table(found)
    assert "1.0000 [" in text
    assert "cannot tell" in text


def test_min_max_fusion_is_the_mean_of_scaled_scores() -> None:
    class Given:
        name = "given"

        def __init__(self, **scores: float) -> None:
            self.scores = scores

        def rank(self, question: str, k: int) -> Ranked:
            return sorted(self.scores.items(), key=lambda entry: -entry[1])[:k]

    fused = MinMaxFusion(Given(a=10.0, b=6.0, c=2.0), Given(b=0.9, d=0.5), Given())
    assert fused.rank("q", 3) == [("b", pytest.approx(0.5)), ("a", pytest.approx(1 / 3)), ("c", 0.0)]


def test_the_systems_see_the_text_of_a_query_and_nothing_else(tmp_path: Path) -> None:
    class Spy:
        name = "spy"

        def __init__(self) -> None:
            self.seen: list[str] = []

        def rank(self, question: str, k: int) -> Ranked:
            self.seen.append(question)
            return [("tides", 2.0), ("bees", 1.0)]

    spy = Spy()
    scores = measure(spy, read_benchmark(beir(tmp_path)))
    assert spy.seen[1:] == [text for text, _ in QUERIES.values()]
    assert scores.values["ndcg@10"] == pytest.approx({"q1": 0.6309, "q2": 1.0}, abs=1e-4)


def test_a_query_that_is_a_document_does_not_find_itself() -> None:
    class Mirror:
        name = "mirror"

        def rank(self, question: str, k: int) -> Ranked:
            return [("bees", 2.0), ("owls", 1.0)]

    benchmark = Benchmark("x", PAPERS, {"bees": PAPERS[0].abstract}, {"bees": {"owls": 1}})
    assert measure(Mirror(), benchmark).values["ndcg@10"] == {"bees": 1.0}


def test_bm25_finds_by_words_and_nothing_without() -> None:
    bm25 = Bm25(PAPERS)
    assert [paper for paper, _ in bm25.rank("varnishes of violin", 2)][:1] == ["violins"]
    assert bm25.rank("xylophone", 5) == []
    assert bm25.rank("the of and", 5) == []


def claim(name: str, label: str, paper: str, text: str, *rationale: str) -> dict[str, Any]:
    """One line of qa.jsonl."""
    return {
        "_id": name,
        "split": "test",
        "claim": text,
        "label": label,
        "cited_doc_ids": [paper],
        "evidence_doc_ids": [paper] if rationale else [],
        "rationales": [{"doc_id": paper, "label": label, "sentences": list(rationale)}] if rationale else [],
    }


CLAIMS: tuple[Mapping[str, Any], ...] = (
    claim(
        "1",
        "SUPPORT",
        "tides",
        "Barnacles reduced the yield of turbines by 18%.",
        "Barnacles reduced the yield by 18% within a year.",
    ),
    claim(
        "2",
        "CONTRADICT",
        "violins",
        "Listeners could tell varnished wood from bare wood.",
        "Listeners could not tell  varnished from bare wood.",
    ),
    claim("3", "NOT_ENOUGH_INFO", "bees", "Zebrafish kidneys regrow after surgery."),
    {**claim("4", "SUPPORT", "bees", "Not of this split."), "split": "train"},
)


def write_claims(folder: Path, claims: object = CLAIMS) -> Path:
    beir(folder)
    assert isinstance(claims, tuple)
    (folder / "qa.jsonl").write_text("".join(json.dumps(one) + "\n" for one in claims), encoding="utf-8")
    return folder


def test_claims_are_put_to_their_papers(tmp_path: Path, settings: Settings) -> None:
    papers, claims = read_claims(write_claims(tmp_path), "test")
    assert [claim.id for claim in claims] == ["1@tides", "2@violins", "3@bees"]
    own = prepare(settings, papers, settings.data_dir / "cache")
    scores = measure_claims(own, claims)
    assert set(scores.ranked) == {"1@tides", "2@violins"}
    assert all(sum(hits) == 1 for hits in scores.ranked.values())  # one sentence of ours is the rationale
    assert scores.support["1@tides"] > scores.support["3@bees"]
    assert scores.supported["1@tides"]
    assert not scores.supported["3@bees"]
    precision, recall, f1 = precision_recall(scores, 3)
    assert recall >= precision
    assert min(precision, recall) <= f1 <= max(precision, recall)
    text = claims_table(scores)
    assert "SUPPORT against NOT_ENOUGH_INFO" in text


def test_a_claim_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    bad = {**CLAIMS[0], "label": "PERHAPS"}
    with pytest.raises(CorpusError, match="unknown label 'PERHAPS'"):
        read_claims(write_claims(tmp_path / "a", (bad,)), "test")
    with pytest.raises(CorpusError, match="no claim of the split 'dev'"):
        read_claims(write_claims(tmp_path / "b"), "dev")


def test_auc_is_the_share_of_pairs_in_order() -> None:
    assert auc([2.0, 3.0], [1.0, 2.0]) == 0.875
    assert auc([1.0], [1.0]) == 0.5
    low, high = auc_interval([2.0, 3.0, 1.0], [1.0, 2.0, 0.0])
    assert low <= auc([2.0, 3.0, 1.0], [1.0, 2.0, 0.0]) <= high
    with pytest.raises(ValueError, match="positives and negatives"):
        auc([], [1.0])


def squad(folder: Path) -> Path:
    """Two paragraphs in SQuAD's form."""

    def entry(name: str, question: str, *answers: str) -> dict[str, Any]:
        found = [{"text": text, "answer_start": 0} for text in answers]
        return {"id": name, "question": question, "is_impossible": not answers, "answers": found}

    bees = [
        entry("s1", "How many waggle dances were filmed in a glass hive?", "412", "412 waggle dances"),
        entry("s2", "How many waggle dances did a wooden hive in Lisbon see?"),
    ]
    tides = [entry("s3", "By how much did barnacles reduce the yield?", "18%")]
    data = [
        {"title": "Honey_bee", "paragraphs": [{"context": PAPERS[0].abstract, "qas": bees}]},
        {"title": "Tides", "paragraphs": [{"context": PAPERS[1].abstract, "qas": tides}]},
    ]
    file = folder / "squad.json"
    file.write_text(json.dumps({"version": "v2.0", "data": data}), encoding="utf-8")
    return file


def test_squad_is_asked_as_our_own_questions_are(tmp_path: Path, settings: Settings) -> None:
    dataset = read_dataset(squad(tmp_path))
    assert [paper.id for paper in dataset.papers] == ["Honey_bee-1", "Tides-1"]
    assert [(one.id, one.kind, one.expects) for one in dataset.questions] == [
        ("s1", "fact", "answer"),
        ("s2", "unanswerable", "abstain"),
        ("s3", "fact", "answer"),
    ]
    config = Config(systems=("readback", "bm25"))
    with open_setup(config, settings, others=dataset) as setup:
        run = execute(setup)
    assert run.id.startswith("squad-")
    assert run.meta["dataset"] == "squad"
    values = run.values("bm25")
    assert values["recall@10"] == {"s1": 1.0, "s3": 1.0}
    assert values["fact_coverage"] == {"s1": 1.0, "s3": 1.0}
    assert values["false_answers"] == {"s2": 1.0}
    assert {one.topic for one in run.questions()} == {"Honey bee", "Tides"}
    text = confidence_table(dataset, grade(run.rows(), run.questions())["readback"])
    assert "answerable against not" in text


def test_pubmedqa_is_asked_without_its_conclusions(tmp_path: Path, settings: Settings) -> None:
    record = {
        "11": {
            "QUESTION": "Do bees tell where flowers are?",
            "CONTEXTS": ["Honey bees dance.", "We filmed 412 dances."],
            "LONG_ANSWER": "THE CONCLUSION",
            "final_decision": "yes",
        },
        "12": {
            "QUESTION": "Do turbines suffer from barnacles?",
            "CONTEXTS": [PAPERS[1].abstract],
            "final_decision": "maybe",
        },
    }
    file = tmp_path / "pubmedqa.json"
    file.write_text(json.dumps(record), encoding="utf-8")
    dataset = read_dataset(file)
    assert "CONCLUSION" not in repr(dataset)
    assert "bees tell" not in repr(dataset.papers)
    assert dataset.decisions == {"11": "yes", "12": "maybe"}
    with open_setup(Config(systems=("bm25",)), settings, others=dataset) as setup:
        run = execute(setup)
    assert run.values("bm25")["right"] == {"11": 1.0, "12": 1.0}  # the right paper is quoted
    assert "fact_coverage" not in run.values("bm25")
    assert "yes or no against maybe" in confidence_table(dataset, grade(run.rows(), run.questions())["bm25"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "a JSON object"),
        ("{", "neither"),
        ('{"data": []}', "no question"),
        ('{"data": [{"title": "x", "paragraphs": [{"context": "c"}]}]}', "it has no 'qas'"),
        ('{"1": {"QUESTION": "q", "CONTEXTS": ["c"], "final_decision": "perhaps"}}', "'perhaps'"),
        (
            '{"data": [{"title": "x", "paragraphs": [{"context": "c", '
            '"qas": [{"id": "i", "question": "q", "answers": []}]}]}]}',
            "no answer",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=complaint):
        read_dataset(file)
