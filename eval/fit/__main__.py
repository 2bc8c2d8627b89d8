"""Fit the numbers of ``rag/policy/default.json``, and say how well they do where they were not fitted.

    python -m eval.fit --bench FOLDER            # fit, cross-validate, write
    python -m eval.fit --bench FOLDER --dry-run  # the same without writing

FOLDER holds the other collections, each a folder as ``eval.lab.beir`` reads it with ``qa.jsonl`` beside; without it,
only our own development questions are fitted on, and the numbers travel less well. The settings name the embedder.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from eval.collection import prepare
from eval.fit.answerability import examples_of, fit_answerability, judged
from eval.fit.evidence import chosen, fit_evidence, weighed
from eval.fit.lists import candidates, fit_lists
from eval.fit.many import fit_many
from eval.fit.questions import Asked, contrasting, contrasting_abstracts, others, own, strangers, unseen_abstracts
from eval.fit.ranking import answer_scores, choose_answer_weight, choose_shares, ranking_scores, with_shares
from rag import prompts
from rag.collection import Collection
from rag.corpus import read
from rag.embed.cross_encoder import embedded
from rag.engine import Assistant
from rag.evidence.answerability import COSINES, READING
from rag.policy import Logistic, Policy
from rag.policy.policy import DEFAULT
from rag.settings import Settings, shipped_corpus

MOST = 500  # questions of each class from another collection
TRAINED_ON = ("scifact",)  # by the cross-encoder, which is surer of these than of anything new
STRANGERS = 240  # questions of other collections that each is asked
Opened = Callable[[Asked, Policy], Assistant]


@click.command()
@click.option("--bench", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The other collections.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where their indexes are kept.  [default: nowhere]")
@click.option("--keep-shares", is_flag=True, help="Leave the shares of the searches as they are: they take longest.")
@click.option("--dry-run", is_flag=True, help="Only report.")
def main(bench: Path | None, cache: Path | None, keep_shares: bool, dry_run: bool) -> None:
    """Fit on the shipped corpus, and other collections, and write the default policy."""
    settings = Settings.load().model_copy(update={"mode": "extractive"})
    several, told = fit_many()
    tell(told)
    policy = Policy.default()
    policy = policy.with_parts(understanding=policy.understanding.model_copy(update={"many": several}))
    papers = read(shipped_corpus()).papers
    sets = [own(papers), *(others(bench, MOST) if bench else ())]
    contrasts = [contrasting(papers, "contrast"), *(contrasting_abstracts(bench) if bench else ())]
    last = [unseen_abstracts(bench)] if bench else []
    with nullcontext(cache) if cache else tempfile.TemporaryDirectory() as folder:
        prepared = {asked.name: prepare(settings, asked.papers, Path(folder)) for asked in (*sets, *contrasts, *last)}

        def opened(asked: Asked, policy: Policy) -> Assistant:
            own_settings = prepared[asked.name]
            return Assistant(own_settings, Collection.open(own_settings)).with_policy(policy)

        if not keep_shares:
            policy = _shares(policy, sets, opened)
        policy = _answer_weight(policy, (*sets, *contrasts), opened)
        policy, unread = _sentences(policy, (sets[0], *contrasts), opened)
        policy = _decisions(policy, sets, contrasts, last, unread, opened)
    writing = policy.writing.model_copy(update={"prompts": prompts.version()})
    policy = policy.with_parts(writing=writing)
    tell([f"policy {policy.version}"])
    if not dry_run:
        DEFAULT.write_text(policy.text(), encoding="utf-8")


def _shares(policy: Policy, sets: Sequence[Asked], opened: Opened) -> Policy:
    scores = {}
    for asked in sets:
        with opened(asked, policy) as assistant:
            scores[asked.name] = ranking_scores(assistant, asked.questions)
    shares, told = choose_shares(scores)
    tell(told)
    return with_shares(policy, shares)


def _answer_weight(policy: Policy, sets: Sequence[Asked], opened: Opened) -> Policy:
    gains = {}
    for asked in sets:
        with opened(asked, policy) as assistant:
            gains[asked.name] = answer_scores(assistant, asked.questions)
    weight, told = choose_answer_weight(gains)
    tell(told)
    rerank = policy.rerank.model_copy(update={"answer_weight": weight})
    return policy.with_parts(rerank=rerank, cross_encoder=embedded().name)


def _sentences(policy: Policy, sets: Sequence[Asked], opened: Opened) -> tuple[Policy, Logistic]:
    """The policy with the models of sentences and of lists, and a model of sentences that is not told what was read."""
    sentences = []
    for asked in sets:
        with opened(asked, policy) as assistant:
            sentences += weighed(assistant, asked.questions)
    model, told = fit_evidence(sentences)
    unread, _ = fit_evidence(sentences, ("read",))
    tell(told)
    ours, evidence = sets[0], policy.evidence.model_copy(update={"model": model})
    policy = policy.with_parts(evidence=evidence)
    with opened(ours, policy) as assistant:
        policy = policy.with_parts(embedder=assistant.collection.embedder)
        membership, lists = fit_lists(candidates(assistant), policy.answering.list_papers)
        tell([lists])
    return policy.with_parts(answering=policy.answering.model_copy(update={"membership": membership})), unread


def _decisions(
    policy: Policy,
    sets: Sequence[Asked],
    contrasts: Sequence[Asked],
    last: Sequence[Asked],
    unread: Logistic,
    opened: Opened,
) -> Policy:
    """The policy with the models of when to answer. last: questions that nothing is fitted on."""
    found = []
    for asked in (*sets, *contrasts):
        if asked.name not in TRAINED_ON:
            far = () if asked in contrasts else strangers(asked, sets, STRANGERS)
            with opened(asked, policy) as assistant:
                found.append(examples_of(assistant, asked.name, (*asked.questions, *far)))
    enough, told = fit_answerability(found)
    unfitted, told_too = fit_answerability(found, COSINES)
    tell([*told, *told_too])
    without, _ = fit_answerability(found, READING)
    for asked in last:
        with opened(asked, policy) as assistant:
            examples = examples_of(assistant, asked.name, asked.questions)
            tell(judged(examples, {"as fitted": enough, "without the cross-encoder": without}))
            models = {"as fitted": policy.evidence.model, "without the cross-encoder": unread}
            tell(chosen(weighed(assistant, asked.questions), models))
    return policy.with_parts(answerability=enough, unfitted=unfitted)


def tell(lines: Sequence[str]) -> None:
    """Say at once what was found: all of it takes a quarter of an hour."""
    click.echo("\n".join(lines))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
