"""Off-policy estimates cover the truth, the router finds the best arms, and complaints become proposals."""

from __future__ import annotations

import numpy as np
import pytest

from rag.learning.offpolicy import doubly_robust, snips
from rag.learning.router import Round, fit, refit
from rag.learning.rules import TOO_LONG, propose_rules
from rag.policy.routing import Arm, Routing
from tests.learning.fakes import Log, WordEmbedder

WORTH = np.array([[0.2, 0.7], [0.8, 0.4]])  # [context, arm]: chance of a reward


def logged(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Contexts, arms, rewards and propensities of a policy that prefers the first arm."""
    rng = np.random.default_rng(seed)
    context = rng.integers(2, size=count)
    arm = (rng.random(count) > 0.8).astype(int)
    reward = (rng.random(count) < WORTH[context, arm]).astype(float)
    return context, arm, reward, np.where(arm == 0, 0.8, 0.2)


def test_estimates_cover_the_truth_of_another_policy_in_nine_of_ten_logs() -> None:
    truth = 0.5 * WORTH[0, 1] + 0.5 * WORTH[1, 0]  # the best arm in either context
    covered = {"snips": 0, "dr": 0}
    widths = {"snips": 0.0, "dr": 0.0}
    for seed in range(100):
        context, arm, reward, propensity = logged(800, seed)
        wanted = 1 - context
        target = (arm == wanted).astype(float)
        model = WORTH * 0.9  # a model that is a little off
        estimates = {
            "snips": snips(reward, propensity, target),
            "dr": doubly_robust(reward, propensity, target, model[context, wanted], model[context, arm]),
        }
        for name, found in estimates.items():
            covered[name] += found.low <= truth <= found.high
            widths[name] += found.high - found.low
    assert covered["snips"] >= 90, covered
    assert covered["dr"] >= 90, covered
    assert widths["dr"] < widths["snips"] * 1.05


def test_the_estimate_of_the_logging_policy_is_its_mean_reward() -> None:
    _, _, reward, propensity = logged(500, 0)
    assert snips(reward, propensity, propensity).value == pytest.approx(reward.mean())


def test_estimates_are_those_of_the_open_bandit_pipeline() -> None:
    """The numbers are what its SelfNormalizedInverseProbabilityWeighting and DoublyRobust give, version 0.4.1."""
    reward = np.array([1.0, 0, 1, 1, 0, 0, 1, 0])
    arm = np.array([0, 1, 0, 1, 0, 1, 1, 0])
    logged, target = np.array([0.8, 0.2])[arm], np.array([0.3, 0.7, 0.3, 0.7, 0.6, 0.4, 0.4, 0.6])
    modelled = np.array([0.4, 0.6])
    expected = target * modelled[arm] + (1 - target) * modelled[1 - arm]
    assert snips(reward, logged, target).value == pytest.approx(0.47169811320754707)
    assert doubly_robust(reward, logged, target, expected, modelled[arm]).value == pytest.approx(0.35375)


def test_a_log_that_never_chose_the_target_tells_nothing() -> None:
    found = snips(np.ones(10), np.ones(10), np.zeros(10))
    assert (found.low, found.high) == (0.0, 1.0)


def test_the_router_finds_the_best_arm_of_each_context_and_logs_how_it_chose() -> None:
    rng = np.random.default_rng(1)
    rounds: list[Round] = []
    routing = Routing(arms=(Arm("small", 0.0), Arm("large", 0.0)))
    for step in range(600):
        kind = int(rng.integers(2))
        context = np.eye(2)[kind]
        choice = routing.choose(context, rng)
        reward = float(rng.random() < WORTH[kind, ("small", "large").index(choice.arm.name)])
        rounds.append(Round(choice.arm.name, context, choice.propensity, reward))
        if step % 20 == 19:
            routing = Routing(arms=fit(rounds, routing.arms))
    assert routing.best(np.array([1.0, 0.0])).name == "large"
    assert routing.best(np.array([0.0, 1.0])).name == "small"
    assert all(0 < one.propensity <= 1 for one in rounds)
    greedy = routing.model_copy(update={"explore": False})
    assert greedy.choose((1.0, 0.0), rng).propensity == 1.0


def test_the_preference_buys_the_large_arm_only_where_it_is_worth_its_price() -> None:
    rng = np.random.default_rng(2)
    quality = {"small": (0.9, 0.3), "large": (0.92, 0.9)}  # easy and hard questions
    rounds = [
        Round(arm, np.eye(2)[kind], 0.5, float(rng.random() < quality[arm][kind]), cost)
        for arm, cost in (("small", 0.001), ("large", 0.01))
        for kind in (0, 1)
        for _ in range(200)
    ]
    arms = fit(rounds, (Arm("small", 0.0), Arm("large", 0.0)))
    assert [round(arm.cost, 4) for arm in arms] == [0.001, 0.01], "what was paid counts, not what was guessed"

    def chosen(worth: float) -> list[str]:
        return [Routing(arms=arms, worth=worth).best(np.eye(2)[kind]).name for kind in (0, 1)]

    assert chosen(0.05) == ["small", "large"]
    assert chosen(10.0)[1] == "large"
    assert chosen(0.001) == ["small", "small"]


def test_a_router_is_refitted_only_if_it_would_have_been_worth_more() -> None:
    rng = np.random.default_rng(3)
    routing = Routing(arms=(Arm("small", 0.0), Arm("large", 0.0)))
    rounds = [
        Round(("small", "large")[arm], np.eye(2)[kind], 0.5, float(rng.random() < WORTH[kind, arm]))
        for kind, arm in rng.integers(2, size=(800, 2))
    ]
    found = refit(rounds, routing)
    assert found.better
    assert found.doubly_robust.low <= 0.75 <= found.doubly_robust.high, "the best arms are worth .7 and .8"
    assert found.snips.low <= 0.75 <= found.snips.high
    assert found.logged == pytest.approx(WORTH.mean(), abs=0.05)
    assert not refit(rounds[:20], routing).better, "too few to say"
    assert refit([], routing).routing == routing


def test_the_router_is_a_third_cheaper_than_the_large_arm_at_equal_quality() -> None:
    """In a planted world where quotes, a small model and the large one each answer a third of the questions well."""
    worth = {"quotes": (0.9, 0.3, 0.2), "small": (0.9, 0.88, 0.3), "large": (0.9, 0.9, 0.9)}  # by kind of question
    costs = {"quotes": 0.0, "small": 0.001, "large": 0.01}
    saved, lost = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        routing = Routing(arms=tuple(Arm(name, cost) for name, cost in costs.items()), worth=0.1)
        rounds: list[Round] = []
        for step in range(1_500):
            kind = int(rng.integers(3))
            choice = routing.choose(np.eye(3)[kind].tolist(), rng)
            reward = float(rng.random() < worth[choice.arm.name][kind])
            rounds.append(Round(choice.arm.name, np.eye(3)[kind], choice.propensity, reward, choice.arm.cost))
            if step % 100 == 99:
                routing = routing.model_copy(update={"arms": fit(rounds, routing.arms)})
        chosen = [routing.best(np.eye(3)[kind]) for kind in range(3)]
        saved.append(1 - np.mean([arm.cost for arm in chosen]) / costs["large"])
        lost.append(np.mean([worth["large"][kind] - worth[arm.name][kind] for kind, arm in enumerate(chosen)]))
    assert min(saved) >= 0.3, saved
    assert max(lost) <= 0.01, lost


def test_what_several_people_complain_about_is_proposed_as_a_rule() -> None:
    log = Log()
    for n, words in enumerate(("give the dataset size", "dataset size please", "the size of the dataset")):
        log.ask(f"u{n}", f"c{n}", "a question", cited=["p"], said=[("comment", words)])
    for _ in range(5):
        log.ask("one person", "c", "a question", cited=["p"], said=[("comment", "write everything in capitals")])
    for n in range(4):
        log.ask(f"v{n}", f"d{n}", "a question", cited=["p"], said=[("reason", "too_long")])
    rules = propose_rules(log.asked, WordEmbedder())
    assert [(rule.people, "size" in rule.text or rule.text == TOO_LONG) for rule in rules] == [(4, True), (3, True)]
    assert propose_rules([], WordEmbedder()) == []
