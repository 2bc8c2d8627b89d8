"""Who does what to whom, and what goes with what?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.text import content_stems, stem
from rag.verify.clauses import BREAKS, clauses_of, tokens_of

SWAPPED = "what it cites has them in each other's place"
_PREPOSITIONS = frozenset("of in on for with to from as at than that into between through via under over".split())
_ASIDE = frozenset("in on at during within under across".split())  # what follows says where and when
_AGENTS = frozenset("by".split())
_APART = BREAKS - frozenset("( )".split())
_REACH = 5  # words on each side of any word
_NEAREST = 2  # content words among them
_MOST_SHARED = 24  # words that may have changed places
VERBS = frozenset(
    stem(verb)
    for verb in (
        "improve enhance boost increase raise reduce decrease lower cut degrade harm hurt damage weaken strengthen "
        "cause lead induce trigger produce generate create yield give drive promote stimulate activate enable support "
        "inhibit suppress block prevent regulate modulate mediate control affect influence protect bind phosphorylate "
        "cleave express encode target recruit train teach guide supervise instruct steer help assist evaluate assess "
        "judge score rate grade critique review verify check correct revise refine edit rewrite reformulate translate "
        "convert turn transform map compress summarize replace substitute use employ leverage exploit utilize apply "
        "need require depend rely presuppose outperform beat surpass exceed overtake predict estimate infer derive "
        "extract retrieve rank select filter choose annotate label query ask answer feed supply provide send select "
        "follow precede contain include cover combine augment align adapt optimize learn imitate simulate explain "
        "decay grow shrink rise fall"
    ).split()
)
Sides = tuple[frozenset[str], frozenset[str]]


def swapped(sentence: str, quotes: Sequence[str]) -> str:
    """What does something in the quote must not have it done to it in the sentence: "A activates B"."""
    if _narrow(sentence, quotes) or _wide(sentence, quotes) or any(_exchanged(sentence, quote) for quote in quotes):
        return SWAPPED
    return ""


def _narrow(sentence: str, quotes: Sequence[str]) -> bool:
    """Any word whose nearest neighbours have changed sides."""
    there = _by_verb(found for quote in quotes for found in _acting(quote))
    for verb, before, after in _acting(sentence):
        pairs = there.get(verb, [])
        crossed = any(before & right and after & left for left, right in pairs)  # both sides are there
        straight = any(before & left or after & right for left, right in pairs)
        if crossed and not straight:
            return True
    return False


def _wide(sentence: str, quotes: Sequence[str]) -> bool:
    """A verb of acting whose whole subject and object have changed sides."""
    there = _by_verb(found for quote in quotes for found in _clause_sides(quote))
    for verb, before, after in _clause_sides(sentence):
        fits = []
        for left, right in there.get(verb, []):
            crossed = len((before - after) & (right - left)), len((after - before) & (left - right))
            straight = len((before - after) & (left - right)) + len((after - before) & (right - left))
            fits.append((min(crossed) > 0 and not straight, straight > 0))
        if any(turned for turned, _ in fits) and not any(straight for _, straight in fits):
            return True
    return False


def _by_verb(found: Iterator[tuple[str, frozenset[str], frozenset[str]]]) -> dict[str, list[Sides]]:
    there: dict[str, list[Sides]] = {}
    for verb, before, after in found:
        there.setdefault(verb, []).append((before, after))
    return there


def _acting(text: str) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """(stem, nearest content words before it, and after it) of every content word; turned in the passive."""
    tokens = tokens_of(text)
    for place, token in enumerate(tokens):
        found = content_stems(token)
        if len(found) != 1 or found[0] not in VERBS:
            continue
        before, after = _beside(tokens[:place][::-1]), _beside(tokens[place + 1 :])
        if before or after:
            yield (found[0], after, before) if _passive(tokens, place) else (found[0], before, after)


def _clause_sides(text: str) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """(stem, content words of its clause before it, and after it) of every verb of acting; turned in the passive."""
    for clause in clauses_of(tokens_of(text)):
        for place, token in enumerate(clause):
            found = content_stems(token)
            if len(found) != 1 or found[0] not in VERBS:
                continue
            after = clause[place + 1 :]
            end = next((at for at, one in enumerate(after) if one in _ASIDE), len(after))
            sides = _stems(clause[:place]), _stems(after[:end])
            if any(sides):
                yield (found[0], *(sides[::-1] if _passive(clause, place) else sides))


def _passive(tokens: Sequence[str], place: int) -> bool:
    """Whether what acts comes behind the verb: after "by", unless that says by how much."""
    near = zip(tokens[place + 1 : place + 3], [*tokens[place + 2 : place + 4], ""], strict=False)
    return any(one in _AGENTS and not following[:1].isdigit() for one, following in near)


def _stems(tokens: Sequence[str]) -> frozenset[str]:
    return frozenset(one for token in tokens for one in content_stems(token))


def _beside(tokens: Sequence[str]) -> frozenset[str]:
    """Stems of the nearest content words, up to what separates them from the verb."""
    found: list[str] = []
    for token in tokens[:_REACH]:
        if token in BREAKS or token in _PREPOSITIONS or len(found) >= _NEAREST:
            break
        found += content_stems(token)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Placed:
    clause: int
    beside: frozenset[str]  # the other stems of its clause


def _exchanged(sentence: str, quote: str) -> bool:
    """Whether two words each stand in the clause that is the other one's in the quote."""
    said, there = _placed(sentence), _placed(quote)
    shared = [word for word in said if word in there][:_MOST_SHARED]
    for at, one in enumerate(shared):
        for other in shared[at + 1 :]:
            if said[one].clause == said[other].clause or there[one].clause == there[other].clause:
                continue
            mine, yours = _apart(said[one], said[other]), _apart(there[one], there[other])
            straight = len(mine[0] & yours[0]) + len(mine[1] & yours[1])
            crossed = len(mine[0] & yours[1]), len(mine[1] & yours[0])
            if not straight and min(crossed) > 0:
                return True
    return False


def _placed(text: str) -> dict[str, _Placed]:
    """Of every content word that stands there once, its clause."""
    found: dict[str, _Placed] = {}
    repeated: set[str] = set()
    for number, clause in enumerate(clauses_of([one for one in tokens_of(text) if one not in "()"], _APART)):
        stems = _stems(clause)
        repeated |= stems & found.keys()
        found |= {one: _Placed(number, stems - {one}) for one in stems}
    return {one: place for one, place in found.items() if one not in repeated}


def _apart(one: _Placed, other: _Placed) -> Sides:
    return one.beside - other.beside, other.beside - one.beside
