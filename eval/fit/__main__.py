"""Fit the numbers of ``rag/policy/default.json``, and say how well they do where they were not fitted.

    python -m eval.fit --bench FOLDER            # fit, cross-validate, write
    python -m eval.fit --bench FOLDER --dry-run  # the same without writing

FOLDER holds the other collections, each a folder as ``eval.lab.beir`` reads it with ``qa.jsonl`` beside; without it,
only our own development questions are fitted on, and the numbers travel less well. The settings name the embedder.
"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

import click

from eval.collection import prepare
from eval.fit.answerability import examples_of, fit_answerability
from eval.fit.evidence import fit_evidence, weighed
from eval.fit.lists import candidates, fit_lists
from eval.fit.many import fit_many
from eval.fit.questions import Asked, contrasting, contrasting_abstracts, others, own, strangers
from eval.fit.ranking import choose_shares, ranking_scores, with_shares
from rag import prompts
from rag.collection import Collection
from rag.corpus import read
from rag.engine import Assistant
from rag.policy import Policy
from rag.policy.policy import DEFAULT
from rag.settings import Settings, shipped_corpus

MOST = 500  # questions of each class from another collection
STRANGERS = 240  # questions of other collections that each is asked


@click.command()
@click.option("--bench", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The other collections.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where their indexes are kept.  [default: nowhere]")
@click.option("--dry-run", is_flag=True, help="Only report.")
def main(bench: Path | None, cache: Path | None, dry_run: bool) -> None:
    """Fit on the shipped corpus, and other collections, and write the default policy."""
    settings = Settings.load().model_copy(update={"mode": "extractive"})
    several, told = fit_many()
    policy = Policy.default()
    policy = policy.with_parts(understanding=policy.understanding.model_copy(update={"many": several}))
    papers = read(shipped_corpus()).papers
    sets = [own(papers), *(others(bench, MOST) if bench else ())]
    contrasts = [contrasting(papers, "contrast"), *(contrasting_abstracts(bench) if bench else ())]
    with nullcontext(cache) if cache else tempfile.TemporaryDirectory() as folder:
        prepared = {asked.name: prepare(settings, asked.papers, Path(folder)) for asked in (*sets, *contrasts)}

        def opened(asked: Asked) -> Assistant:
            own_settings = prepared[asked.name]
            return Assistant(own_settings, Collection.open(own_settings)).with_policy(policy)

        scores = {}
        for asked in sets:
            with opened(asked) as assistant:
                scores[asked.name] = ranking_scores(assistant, asked.questions)
        shares, ranked = choose_shares(scores)
        policy = with_shares(policy, shares)
        with opened(sets[0]) as assistant:
            model, held = fit_evidence(weighed(assistant, (*sets[0].questions, *contrasts[0].questions)))
            evidence = policy.evidence.model_copy(update={"model": model})
            membership, lists = fit_lists(candidates(assistant), policy.answering.list_papers)
            answering = policy.answering.model_copy(update={"membership": membership})
            policy = policy.with_parts(evidence=evidence, answering=answering, embedder=assistant.collection.embedder)
        found = []
        for asked in sets:
            with opened(asked) as assistant:
                found.append(examples_of(assistant, asked.name, (*asked.questions, *strangers(asked, sets, STRANGERS))))
        for asked in contrasts:
            with opened(asked) as assistant:
                found.append(examples_of(assistant, asked.name, asked.questions))
    enough, report = fit_answerability(found, cosines=True)
    without, unfitted = fit_answerability(found, cosines=False)
    writing = policy.writing.model_copy(update={"prompts": prompts.version()})
    policy = policy.with_parts(answerability=enough, unfitted=without, writing=writing)
    click.echo("\n".join([*told, *ranked, *held, lists, *report, *unfitted, f"policy {policy.version}"]))
    if not dry_run:
        DEFAULT.write_text(policy.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
