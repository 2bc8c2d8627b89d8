"""Which wordings become one need, and which stay apart."""

from __future__ import annotations

import numpy as np

from rag.learning.needs import LARGEST, Needs, group, merge


def needs(count: int) -> Needs:
    texts = tuple(f"wording {n}" for n in range(count))
    return Needs(texts, {text: n for n, text in enumerate(texts)}, tuple((text,) for text in texts))


def groups(found: Needs) -> set[frozenset[str]]:
    return {frozenset(texts) for texts in found.members}


def test_near_duplicates_and_the_same_words_in_another_order_are_one() -> None:
    vectors = np.array([[1, 0, 0], [0.99, 0.141, 0], [0, 1, 0], [0, 0.6, 0.8]], dtype=np.float32)
    counted = {"bias of clicks": 1, "click biases": 9, "robot arms": 3, "the arms of a robot": 1}
    found = group(counted, vectors)
    assert groups(found) == {
        frozenset({"bias of clicks", "click biases"}),
        frozenset({"robot arms", "the arms of a robot"}),
    }
    assert found.members[found.of["bias of clicks"]][0] == "click biases", "the wording asked most speaks for them"
    assert group({}, np.zeros((0, 3), dtype=np.float32)).members == ()


def test_wordings_that_two_people_went_between_become_one_and_one_person_is_not_enough() -> None:
    found = merge(needs(5), {(0, 1): 2.0, (1, 2): 3.0, (3, 4): 1.9})
    assert groups(found) == {
        frozenset({"wording 0", "wording 1", "wording 2"}),
        frozenset({"wording 3"}),
        frozenset({"wording 4"}),
    }
    assert found.of["wording 2"] == found.of["wording 0"]


def test_a_wording_that_everything_is_reworded_as_joins_nothing() -> None:
    bait = 40
    links = {(n, bait): 5.0 for n in range(bait)}
    assert len(merge(needs(bait + 1), links).members) == bait + 1


def test_groups_stay_small() -> None:
    chained = merge(needs(60), {(n, n + 1): 2.0 for n in range(59)})
    assert max(len(texts) for texts in chained.members) <= LARGEST
