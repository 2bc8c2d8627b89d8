"""What a decision in three bands costs its reader: answer, show the closest with a caveat, or refuse.

======================  ========  =======  =======
the question            answered  closest  refused
======================  ========  =======  =======
answerable, right paper     0       0.3       1
answerable, wrong paper     1       0.7       1
in the field, no answer     1        0       0.3
off topic                   1       0.5       0
======================  ========  =======  =======

A wrong answer in the tone of a right one and a refusal of what the collection does answer cost the same. A caveat on
a right answer costs a third of that, as does sending somebody away whose question is about the field; the closest
evidence is the right reply to what the field does not answer, and noise where the question has nothing to do with it.
The costs are a convention, fixed before anything was fitted to them, so that neither always answering nor always
showing the closest wins: compare the baselines that are printed beside them.
"""

from __future__ import annotations

from typing import Literal

Verdict = Literal["answered", "closest", "refused"]
Class = Literal["answerable", "in the field", "off topic"]

CAVEAT = 0.3  # cost of a caveat on a right answer
ANSWERABLE_COST: dict[tuple[Verdict, bool], float] = {  # by verdict, and whether the right paper is shown
    ("answered", True): 0.0,
    ("answered", False): 1.0,
    ("closest", True): CAVEAT,
    ("closest", False): 0.7,
    ("refused", True): 1.0,
    ("refused", False): 1.0,
}
UNANSWERABLE_COST: dict[tuple[Class, Verdict], float] = {
    ("in the field", "answered"): 1.0,
    ("in the field", "closest"): 0.0,
    ("in the field", "refused"): 0.3,
    ("off topic", "answered"): 1.0,
    ("off topic", "closest"): 0.5,
    ("off topic", "refused"): 0.0,
}


def decision_cost(kind: Class, verdict: Verdict | None, *, right_paper: bool) -> float:
    """Cost in [0, 1] by the table above; lower is better. verdict: None for a crash, which costs 1."""
    if verdict is None:
        return 1.0
    if kind == "answerable":
        return ANSWERABLE_COST[verdict, right_paper]
    return UNANSWERABLE_COST[kind, verdict]
