"""Draft → verdicts: every sentence tied to exact quotes and judged by them.

Hard checks come first (links, quotations, numbers with units, names); what passes them is weighed by a fitted model
over how much of the sentence the quotes hold and what speaks against it. The model's own [n] markers are hints only:
small models place them badly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.policy import Quoting, Verification
from rag.text import MAX_SENTENCE_CHARS, content_stems, without_markers, words
from rag.values.evidence import Quote
from rag.verify.anatomy import Anatomy, Reading, anatomy, bigrams_of
from rag.verify.checks import doubt, objections
from rag.verify.features import FEATURES, Embed, Idf, features, held, weights_of
from rag.verify.hard import names_of, objection
from rag.verify.kinds import kind_of, leads
from rag.verify.opposites import opposites
from rag.verify.parts import parts_of
from rag.verify.spelling import plain
from rag.verify.values import Source, State, Verdict

MOST_QUOTES = 3
MOST_RIVALS = 3
ORDER: tuple[State, ...] = ("contradicted", "unchecked", "verified")
SURE = frozenset(("denial", "direction", "comparison", "exchanged", "subject"))  # checks that are seldom wrong
SAYS_MORE = "part of it is about something that the abstracts do not speak of"
NOTHING_SAYS_IT = "no abstract says it"
NOT_SURE = "whether an abstract says it could not be decided"


@dataclass(frozen=True, slots=True)
class Weighed:
    """One claim with the quotes that come closest, before it is judged."""

    text: str
    quotes: tuple[tuple[Reading, float], ...]  # best first, with how far each carries the text alone, in [0, 1]
    row: tuple[float, ...]  # in the order of FEATURES
    objection: str  # what the sources certainly do not hold; empty if nothing
    against: str  # what speaks against it in the quotes; empty if nothing
    clear: bool  # it says nothing but what the quotes speak of, and they say otherwise


class EvidenceVerifier:
    """A Verifier over hard checks and a fitted model. Safe to share between threads."""

    def __init__(self, embed: Embed, idf: Idf, fitted: Verification) -> None:
        """embed: text → unit vector, by the model of the sources' vectors; it should remember words.

        idf: rarity of a stem in the collection, in [0, 1].
        """
        self._embed = embed
        self._idf = idf
        self._fitted = fitted

    def verify(self, sentences: Sequence[str], sources: Sequence[Source]) -> list[Verdict]:
        """One verdict a sentence, in their order. sentences: with their [n] markers. sources: numbered from 1."""
        desk = _Desk.of(sources)
        return [self._verdict(sentence[: 2 * MAX_SENTENCE_CHARS], desk) for sentence in sentences]

    def weigh(self, text: str, sources: Sequence[Source], hinted: frozenset[int] = frozenset()) -> Weighed | None:
        """The features of one claim; None if the sources have no sentence. For fitting, and for `verify`."""
        desk = _Desk.of(sources)
        return self._weigh(text, desk, hinted) if desk.readings else None

    def _verdict(self, sentence: str, desk: _Desk) -> Verdict:
        text, hinted = without_markers(sentence)
        kind, why = kind_of(text)
        if kind == "framing" or (kind == "claim" and text.endswith(":") and leads(text, desk.stems)):
            return Verdict(text, "verified", (), 1.0, "", "framing")
        if len(text) > MAX_SENTENCE_CHARS:
            return Verdict(text, "unchecked", (), 0.0, "it is too long to be checked")
        if words(text) in desk.titles:  # small models copy them
            why = "it is the title of a paper and states nothing"
        if why or not desk.readings:
            return Verdict(text, "contradicted", (), 0.0, why or NOTHING_SAYS_IT, kind)
        whole = self._judged(self._weigh(text, desk, hinted), desk)
        parts = parts_of(text, desk.stems)
        if parts == [text]:
            return whole
        return _joined(whole, [self._judged(self._weigh(part, desk, hinted, text), desk) for part in parts])

    def _judged(self, weighed: Weighed, desk: _Desk) -> Verdict:
        support = self._fitted.support(weighed.row)
        quotes = tuple(
            Quote(desk.sources[one.place - 1].paper, one.span.start, one.span.end, round(score, 4))
            for one, score in weighed.quotes
        )
        state: State = "verified"
        why = weighed.objection or weighed.against
        if weighed.objection or weighed.clear or support < self._fitted.contradicted:
            state, why = "contradicted", why or NOTHING_SAYS_IT
            support = min(support, self._fitted.contradicted)
        elif why or support < self._fitted.verified:
            state, why = "unchecked", why or NOT_SURE
        return Verdict(weighed.text, state, quotes, support, why if state != "verified" else "")

    def _weigh(self, text: str, desk: _Desk, hinted: frozenset[int], whole: str = "") -> Weighed:
        """whole: the sentence that a text is part of, which may name what it is about."""
        folded = plain(text)
        stems = frozenset(content_stems(folded))
        weight = weights_of(tuple(stems), self._idf)
        vector = self._embed(text)
        carried = self._carried(folded, weight, vector, hinted, desk) * self._may_speak(text, whole, desk)
        chosen = _choose(stems, weight, carried, desk.readings, self._fitted.quoting, hinted)
        quotes = [desk.readings[index] for index in chosen]
        places = list(dict.fromkeys(one.place for one in quotes))
        cited = [desk.papers[place - 1] for place in places]
        quoted = [one.text for one in quotes]
        marked = [paper for place, paper in enumerate(desk.papers, 1) if place in hinted and place not in places]
        wrong = objection(text, [*cited, *marked], quoted, desk.papers, desk.long_forms, self._idf)
        rivals = _rivals(carried, chosen, places, desk.readings, self._fitted.quoting.rival)
        against = objections(folded, [*quoted, *rivals], cited)
        row = features(
            folded,
            vector,
            quotes,
            desk.matrix[chosen],
            cited,
            np.concatenate([desk.sources[place - 1].vectors for place in places]),
            self._embed,
            self._idf,
            doubt=wrong is not None,
            against=against,
        )
        says_more = row[FEATURES.index("foreign")] >= self._fitted.foreign
        return Weighed(
            text,
            tuple((one, float(carried[index])) for one, index in zip(quotes, chosen, strict=True)),
            tuple(row),
            wrong.why if wrong and wrong.certain else "",
            next(iter(against.values()), "")
            or (wrong.why if wrong else SAYS_MORE if says_more else doubt(folded, [*quoted, *rivals], cited)),
            row[FEATURES.index("coverage_soft")] >= self._fitted.clear and not SURE.isdisjoint(against),
        )

    def _carried(
        self,
        text: str,
        weight: Mapping[str, float],
        vector: NDArray[np.float32],
        hinted: frozenset[int],
        desk: _Desk,
    ) -> NDArray[np.float64]:
        """How far each single sentence carries the text, in [0, 1]."""
        cosines = np.clip(desk.matrix @ vector, 0.0, 1.0)
        pairs, by = bigrams_of(text), self._fitted.quoting
        turned = {one: others for one in weight if (others := opposites(one))}  # the sentence that says the opposite
        found = np.zeros(len(desk.readings))
        for index, one in enumerate(desk.readings):
            if one.order:
                continue
            share = held(one.stems | {mine for mine, others in turned.items() if others & one.stems}, weight)
            shared = len(pairs & one.bigrams) / len(pairs) if pairs else share
            found[index] = by.words * share + by.cosine * cosines[index] + by.pairs * shared
            if one.place in hinted:
                found[index] += by.hint * share
        return np.minimum(found, 1.0)

    def _may_speak(self, text: str, whole: str, desk: _Desk) -> NDArray[np.float64]:
        """1.0 for sentences of papers that a sentence can be about, going by its rarest names; 0.0 for others.

        What one paper says of its method must not be said of another one's, however many words the two share.
        """
        holders: list[frozenset[int]] = []
        for said in (text, whole):
            holders = holders or [places for name in names_of(said, self._idf) if (places := desk.holders(name))]
        fewest = min(map(len, holders), default=0)
        if not fewest or fewest > max(1, len(desk.papers) // 4):  # no name, or one that is common here
            return np.ones(len(desk.readings))
        allowed = frozenset().union(*(places for places in holders if len(places) == fewest))
        return np.array([float(one.place in allowed) for one in desk.readings])


@dataclass(frozen=True, slots=True)
class _Desk:
    """All sources of a draft, read."""

    sources: Sequence[Source]
    papers: Sequence[Anatomy]
    readings: Sequence[Reading]
    matrix: NDArray[np.float32]  # a row for each reading
    titles: Sequence[list[str]]  # as words
    long_forms: Mapping[str, str]  # acronym → what it stands for, in any of them

    @property
    def stems(self) -> frozenset[str]:
        """Of all papers."""
        return frozenset().union(*(one.stems for one in self.papers))

    def holders(self, name: str) -> frozenset[int]:
        """The places of the papers that have a name."""
        return frozenset(place for place, one in enumerate(self.papers, 1) if one.holds(name, self.long_forms))

    @classmethod
    def of(cls, sources: Sequence[Source]) -> _Desk:
        papers = [anatomy(one.paper, one.spans, place) for place, one in enumerate(sources, 1)]
        long_forms: dict[str, str] = {}
        for paper in papers:
            long_forms |= paper.acronyms
        matrices = [one.vectors for one in sources if one.spans]
        return cls(
            sources,
            papers,
            [one for paper in papers for one in paper.readings],
            np.concatenate(matrices) if matrices else np.zeros((0, 1), dtype=np.float32),
            [words(lead + one.paper.title) for one in sources for lead in ("", "Title: ")],
            long_forms,
        )


def _joined(whole: Verdict, parts: Sequence[Verdict]) -> Verdict:
    """A sentence is as good as the worst of its parts; but that a part alone is like nothing does not contradict it."""
    worst = min(parts, key=lambda one: (ORDER.index(one.state), one.support))
    state: State = worst.state
    if state == "contradicted" and whole.state != "contradicted" and worst.why == NOTHING_SAYS_IT:
        state = "unchecked"
    quotes = tuple(dict.fromkeys(quote for part in parts for quote in part.quotes))
    return replace(worst, text=whole.text, state=state, quotes=quotes)


def _rivals(
    carried: NDArray[np.float64],
    chosen: Sequence[int],
    places: Sequence[int],
    readings: Sequence[Reading],
    share: float,
) -> list[str]:
    """Further sentences of the cited papers that carry nearly as much: one of them may say the opposite."""
    least = share * carried[chosen[0]]
    order = [int(index) for index in np.argsort(-carried) if index not in chosen and carried[index] >= least]
    return [readings[index].text for index in order if readings[index].place in places][:MOST_RIVALS]


def _choose(
    stems: frozenset[str],
    weight: Mapping[str, float],
    carried: NDArray[np.float64],
    readings: Sequence[Reading],
    policy: Quoting,
    hinted: frozenset[int],
) -> list[int]:
    """The best sentence, and those that hold much of what it lacks; of a paper that the model cites, if the best is."""
    chosen = [int(np.argmax(carried))]
    if readings[chosen[0]].place in hinted:
        carried = carried * np.array([one.place in hinted for one in readings])
    while len(chosen) < MOST_QUOTES:
        have = frozenset().union(*(readings[index].stems for index in chosen))
        gains = [
            held((have | one.stems) & stems, weight) - held(have & stems, weight)
            if carried[index] >= policy.further * carried[chosen[0]] and index not in chosen
            else 0.0
            for index, one in enumerate(readings)
        ]
        best = int(np.argmax(gains))
        if gains[best] < policy.gain:
            break
        chosen.append(best)
    return chosen
