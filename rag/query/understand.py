"""Question and conversation → Query: resolved, cut into terms, weighed against the collection, embedded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag.collection import View
from rag.errors import ProviderError
from rag.policy import Expansion, Retrieval, Spelling
from rag.query import wants
from rag.query.followup import Resolved, resolve_by_rule
from rag.query.intake import in_another_script, tidy
from rag.query.intent import Said, recognise
from rag.query.language import foreign_language
from rag.query.many import wants_many
from rag.query.planner import make_plan
from rag.query.sides import sides
from rag.query.spelling import Speller, unknown_words
from rag.stages import Context
from rag.text import content_words, names, stem
from rag.types import Turn
from rag.values.query import Query, Search, Term

READ = 2000  # papers at most whose words typing errors are corrected to: to read them takes about a second


class QueryUnderstander:
    """Understands a question by the model where one writes, else by rules."""

    def __init__(self) -> None:
        self._speller: tuple[object, Speller] | None = None  # the snapshot whose words it knows

    def understand(self, asked: str, history: Sequence[Turn], context: Context) -> Query:
        """asked: tidied. history: oldest turn first. Raises ProviderError if the settings say so."""
        spelt = (
            asked
            if foreign_language(asked)
            else self._spelt(asked, context.view, context.policy.understanding.spelling)
        )
        return make_query(asked, self._resolve(spelt, history, context), context)

    def _spelt(self, asked: str, view: View, by: Spelling) -> str:
        wrong = unknown_words(asked, lambda word: view.idf(stem(word)) < 1.0)
        if not wrong:
            return asked
        held = self._speller
        if held is None or held[0] is not view.snapshot:
            catalog = view.collection.catalog
            known = list(catalog.fingerprints())
            papers = catalog.some(known[:: -(-len(known) // READ) or 1]).values()  # a sample from old to new
            held = self._speller = view.snapshot, Speller(paper for paper, _ in papers)
        return held[1].corrected(asked, wrong, by)

    def _resolve(self, asked: str, history: Sequence[Turn], context: Context) -> Resolved:
        view, policy = context.view, context.policy

        def starts_afresh(own: str, before: str) -> bool:
            known = {stem for stem, _ in content_words(before)}
            named = [stem for name in names(own) for stem, _ in content_words(name)]
            return any(stem not in known and policy.follow_ups.rare <= view.idf(stem) < 1.0 for stem in named)

        said = recognise(asked, history)
        by_rule = resolve_by_rule(asked, history, starts_afresh, policy.follow_ups)
        given = tidy(context.options.standalone_question or "")
        if said.intent == "summarise" and not given:
            return _summary(said, by_rule, history)
        if given and given != by_rule.standalone:  # an unchanged "Understood as" is no correction
            return Resolved(given, given)
        several = wants_many(asked, policy.understanding.many) or bool(sides(asked))
        foreign = said.intent == "other_language" or in_another_script(asked)
        if not given and context.mode == "generative" and (history or several or foreign):
            return self._planned(asked, history, by_rule, context)
        return replace(by_rule, intent="other_language") if said.intent == "other_language" else by_rule

    def _planned(self, asked: str, history: Sequence[Turn], by_rule: Resolved, context: Context) -> Resolved:
        turns = history[max(0, len(history) - context.policy.writing.history) :]
        try:
            plan, usage = make_plan(asked, turns, context.model())
        except ProviderError as error:
            context.degrade(error)
            return by_rule
        context.spend(usage)
        if plan is None:
            return by_rule
        context.trace.note("plan", route=plan.route, queries=list(plan.queries), wish=plan.wish)
        last = history[-1] if history else None
        if plan.route == "transform" and last and last.papers:
            own = last.standalone_question
            return Resolved(own, own, papers=last.papers, within=True, earlier=last.answer, intent="transform")
        if plan.route == "collection":
            return replace(by_rule, intent="overview")
        if plan.route == "chat":
            return replace(by_rule, intent="thanks" if history else "greeting")
        return Resolved(plan.standalone, plan.standalone, queries=plan.queries, wish=plan.wish)


def _summary(said: Said, by_rule: Resolved, history: Sequence[Turn]) -> Resolved:
    """One paper is asked for: by what it is called, or as one of those that the last answer cited."""
    if not by_rule.papers:
        return Resolved(by_rule.standalone, said.target, intent="summarise")
    cited = next(turn for turn in reversed(history) if by_rule.papers[0] in turn.papers)
    title = cited.cited[cited.papers.index(by_rule.papers[0])]
    return Resolved(f"Summarise “{title}”", title, papers=by_rule.papers[:1], within=True, intent="summarise")


def restated(text: str, context: Context) -> Query:
    """A question in other words, which stands by itself."""
    return make_query(text, Resolved(text, text), context)


def make_query(asked: str, resolved: Resolved, context: Context) -> Query:
    """Cut, weigh and embed."""
    view, policy = context.view, context.policy
    compared = sides(resolved.own) if resolved.intent == "question" else ()
    searches = _searches(resolved, compared, view, policy.retrieval)
    mean = np.sum([search.weight * search.vector for search in searches], axis=0)
    terms = _terms(resolved.own, searches[0], view, policy.evidence.generic_weight)
    if resolved.carried:
        known = {term.stem for term in terms}
        carried = _terms(resolved.carried, searches[-1], view, policy.evidence.generic_weight)
        share = policy.follow_ups.carried * resolved.lean
        terms += tuple(
            Term(one.stem, one.word, one.weight * share, one.expansions, one.generic, carried=True)
            for one in carried
            if one.stem not in known
        )
    lift = policy.follow_ups.within if resolved.within else policy.follow_ups.lift * resolved.lean
    return Query(
        asked=asked,
        standalone=resolved.standalone,
        searches=searches,
        vector=np.asarray(mean / (float(np.linalg.norm(mean)) or 1.0), dtype=np.float32),
        terms=terms,
        names=tuple(dict.fromkeys(names(resolved.own))),
        wants_many=bool(compared) or wants_many(resolved.own, policy.understanding.many),
        wants_effect=wants.wants_effect(resolved.own),
        intent=resolved.intent,
        sides=compared,
        prior=dict.fromkeys(resolved.papers, lift),
        planned=bool(resolved.queries),
        wish=resolved.wish,
        earlier=resolved.earlier,
    )


def _searches(resolved: Resolved, compared: Sequence[str], view: View, policy: Retrieval) -> tuple[Search, ...]:
    by = policy.expansion
    if resolved.queries:
        share = policy.planned / len(resolved.queries)
        planned = (make_search(text, share, view, by) for text in resolved.queries)
        return (make_search(resolved.standalone, 1.0 - policy.planned, view, by), *planned)
    if compared and not resolved.carried:
        asked = make_search(resolved.own, 1.0 - policy.side * len(compared), view, by)
        return (asked, *(make_search(side, policy.side, view, by) for side in compared))
    if not resolved.carried:
        return (make_search(resolved.own, 1.0, view, by),)
    joined = f"{resolved.own} {resolved.carried}"
    if resolved.lean >= 1.0:
        return (make_search(joined, 1.0, view, by),)
    own = make_search(resolved.own, 1.0 - resolved.lean, view, by)
    return (own, make_search(joined, resolved.lean, view, by))


def make_search(text: str, weight: float, view: View, by: Expansion) -> Search:
    """A text as both searches take it."""
    pairs = content_words(text)
    similar = view.snapshot.lexical.expansions(dict(pairs), view.embed_document)
    expansions = {stem: by.weights(found) for stem, found in similar.items()}
    return Search(text, view.embed(text), Counter(stem for stem, _ in pairs), expansions, weight)


def _terms(text: str, search: Search, view: View, generic_weight: float) -> tuple[Term, ...]:
    return tuple(
        Term(
            stem,
            word,
            view.idf(stem) * (generic_weight if stem in wants.GENERIC else 1.0),
            search.expansions[stem],
            generic=stem in wants.GENERIC,
        )
        for stem, word in dict(content_words(text)).items()
    )
