"""What is believed about papers when people err, favour a paper or lie."""

from __future__ import annotations

import numpy as np

from rag.learning.signals import PaperSignal
from rag.learning.truth import DAY_S, HALF_LIFE_DAYS, believe
from tests.learning.fakes import NOW


def signal(need: int, paper: str, person: str, kind: str, *, rank: int | None = 3, at: float = NOW) -> PaperSignal:
    return PaperSignal(f"need {need}", paper, person, kind, at, rank)


def believed(signals: list[PaperSignal], now: float = NOW) -> dict[tuple[int, str], float]:
    needs = {one.text: int(one.text.split()[1]) for one in signals}
    return {(one.need, one.paper): one.probability for one in believe(signals, needs, now).beliefs}


def test_one_honest_person_is_believed_and_more_are_believed_more() -> None:
    alone = believed([signal(0, "p", "ann", "useful")])[0, "p"]
    together = believed([signal(0, "p", name, "useful") for name in ("ann", "bob", "cid")])[0, "p"]
    assert 0.6 < alone < together
    assert believed([signal(0, "p", "ann", "wrong", rank=1)])[0, "p"] < 0.3


def test_saying_it_a_hundred_times_is_saying_it_once() -> None:
    once = believed([signal(0, "p", "ann", "useful")])[0, "p"]
    assert believed([signal(0, "p", "ann", "useful")] * 100)[0, "p"] == once


def test_openings_by_many_are_a_hint_and_no_more() -> None:
    crowd = believed([signal(0, "p", f"u{n}", "opened") for n in range(200)])[0, "p"]
    assert crowd < 0.7


def test_old_signals_fade() -> None:
    old = NOW - 2 * HALF_LIFE_DAYS * DAY_S
    fresh, faded = (believed([signal(0, "p", "ann", "useful", at=at)])[0, "p"] for at in (NOW, old))
    assert 0.3 < faded < fresh


def test_a_fifth_of_liars_who_promote_one_paper_do_not_win() -> None:
    rng = np.random.default_rng(5)
    signals = []
    for need in range(40):
        for person in range(20):
            liar = person < 4
            if rng.random() < 0.4:
                errs = rng.random() < 0.15
                paper = "bait" if liar else f"right-{need}" if not errs else f"other-{rng.integers(50)}"
                signals.append(signal(need, paper, f"u{person}", "named" if liar else "useful", rank=None))
    found = believe(signals, {f"need {need}": need for need in range(40)}, NOW)
    bait = [one.probability for one in found.beliefs if one.paper == "bait"]
    right = [one.probability for one in found.beliefs if one.paper.startswith("right")]
    assert max(bait) < 0.5
    assert np.mean(np.array(right) > 0.5) > 0.9
    credit = [found.credit[f"u{person}"] for person in range(20)]
    assert max(credit[:4]) < min(credit[4:])


def test_kinds_that_agree_with_the_rest_gain_and_others_lose() -> None:
    rng = np.random.default_rng(6)
    signals = []
    for need in range(60):
        right, wrong = f"right-{need}", f"wrong-{need}"
        signals += [signal(need, right, f"a{n}", "useful") for n in range(3)]
        signals.append(signal(need, right if rng.random() < 0.5 else wrong, f"b{need}", "accepted"))
        signals += [signal(need, wrong, f"c{n}", "not_useful") for n in range(2)]
    found = believe(signals, {f"need {need}": need for need in range(60)}, NOW)
    assert found.accuracy["useful"] > 0.85
    assert found.accuracy["accepted"] < 0.7
