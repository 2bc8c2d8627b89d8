"""Drafted sentences over shipped abstracts, judged by hand, beside ``eval/gold/verify``. Development data.

``half`` says which of them an earlier verifier was tuned on; this one's rules were written with sight of both. Papers
are those of the development split. A case names the papers whose abstracts were "shown to the model"; DISTRACTORS are
always there too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Half = Literal["tuned", "held_out"]

SHORT = {  # short name → paper id
    "leser": "leser-learning-to-expand-via-66d1a9",
    "persian": "enhancing-reasoning-skills-in-small-21528d",
    "agent2world": "agent2world-learning-to-generate-symbolic-c07c56",
    "mismitifact": "generating-grounded-responses-to-counter-94c6a0",
    "verirl": "verirl-boosting-the-llm-based-a2a676",
    "survey": "summary-of-chatgpt-gpt-4-7ad81a",
    "editor": "chatgpt-steered-editing-instructor-for-450116",
    "aquila": "aqulia-med-llm-pioneering-full-d85567",
    "fingpt": "fingpt-democratizing-internet-scale-data-2c794c",
    "batgpt": "batgpt-a-bidirectional-autoregessive-talker-03a17f",
    "tprf": "tprf-a-transformer-based-pseudo-62a24d",
    "criticsearch": "criticsearch-fine-grained-credit-assignment-a02b1b",
    "examples": "learning-to-retrieve-in-context-9e7aee",
    "sysprompt": "system-prompt-optimization-with-meta-d58ceb",
    "ilf": "training-language-models-with-language-67cc2e",
    "hindsight": "chain-of-hindsight-aligns-language-7ab42b",
    "rest": "beyond-human-data-scaling-self-f31ace",
    "regressor": "from-words-to-numbers-your-ebc95b",
    "ctrl": "teaching-language-models-to-critique-2b4292",
}
DISTRACTORS = ("ilf", "fingpt", "criticsearch", "ctrl")


@dataclass(frozen=True, slots=True)
class Case:
    """One drafted sentence and whether the shown abstracts support it."""

    shown: tuple[str, ...]  # keys of SHORT
    drafted: str
    supported: bool
    kind: str
    half: Half


_TRUE = (
    ("leser", "paraphrase", "LESER fine-tunes a language model with real-time feedback of the search engine."),
    ("persian", "numbers", "The dataset holds 2 million tokens of preferred answers and 2.5 million of rejected ones."),
    (
        "persian",
        "fused",
        "With far less data, the resulting model outperformed gaokerena-V, which was trained on 57 million tokens.",
    ),
    (
        "agent2world",
        "numbers",
        "Fine-tuning on the trajectories gives an average relative gain of 30.95% over the model before training.",
    ),
    (
        "agent2world",
        "fused",
        "A Deep Researcher searches the web, a Model Developer implements world models and a Testing Team validates.",
    ),
    (
        "mismitifact",
        "comparison",
        "MisMitiFact reaches quality comparable to LLMs' self-feedback with significantly smaller critique models.",
    ),
    ("mismitifact", "numbers", "It raises the throughput of feedback generation about 5x."),
    ("verirl", "numbers", "Veribench-53K was curated from over 700K Verilog problems."),
    (
        "verirl",
        "paraphrase",
        "A sample-balanced weighting strategy is used against catastrophic forgetting and overfitting.",
    ),
    ("survey", "numbers", "The survey analyses 194 papers from arXiv on ChatGPT and GPT-4."),
    (
        "editor",
        "roles",
        "ChatGPT serves as both generator and editor, and a smaller model is the user-specific instructor.",
    ),
    ("fingpt", "numbers", "FinGPT collects real-time financial data from 34 Internet sources."),
    ("fingpt", "paraphrase", "With LoRA and QLoRA, users can customize their own FinLLMs at a low cost."),
    ("batgpt", "names", "BatGPT was designed and trained by Wuhan University and Shanghai Jiao Tong University."),
    (
        "tprf",
        "comparison",
        "TPRF has a smaller memory footprint and faster inference than other deep models, with a marginal loss.",
    ),
    ("tprf", "paraphrase", "TPRF can be applied to any dense retriever, since it is agnostic to the representation."),
    (
        "criticsearch",
        "paraphrase",
        "A frozen critique LLM evaluates each turn in retrospect with the full trajectory and gold answers.",
    ),
    ("examples", "numbers", "On a suite of 30 tasks, the framework significantly improved in-context learning."),
    (
        "sysprompt",
        "numbers",
        "On 14 unseen datasets from 5 domains, the system prompts generalized to diverse user prompts.",
    ),
    ("ilf", "comparison", "Learning from both language and comparison feedback is better than either alone."),
    (
        "hindsight",
        "paraphrase",
        "Chain of Hindsight turns all types of feedback into sequences of sentences and fine-tunes on them.",
    ),
    (
        "rest",
        "paraphrase",
        "ReST^EM generates samples, filters them with binary feedback, and fine-tunes the model on them, repeatedly.",
    ),
    ("regressor", "comparison", "On Friedman #2, Claude 3 outperforms methods such as AdaBoost, SVM and KNN."),
    ("ctrl", "numbers", "Critics trained with CTRL enable up to 106.1% relative improvement in code generation."),
    (
        "leser",
        "fused",
        "LESER learns from relevance and coverage metrics with Group Relative Policy Optimization, and it delivers "
        "gains in user engagement.",
    ),
    ("tprf", "negation", "TPRF is meant for devices such as smartphones, where no GPUs are present."),
    ("ctrl", "negation", "The critic is trained for a fixed generator model without human supervision."),
    ("regressor", "negation", "Large language models can do regression from in-context examples without training."),
    ("mismitifact", "negation", "Manual fact-checking is costly and does not scale."),
    ("hindsight", "paraphrase", "Chain of Hindsight was markedly preferred in human evaluations of summarization."),
    ("rest", "direction", "Self-training with feedback reduces the dependence on human-generated data."),
    ("survey", "direction", "The interest in ChatGPT/GPT-4 research is significant and increasing."),
    (
        "sysprompt",
        "direction",
        "With the optimized system prompt, user prompts require fewer optimization steps at test time.",
    ),
    ("criticsearch", "comparison", "CriticSearch converges faster than existing baselines and outperforms them."),
    ("leser", "negation", "LESER enhances semantic coverage and retrieval relevance."),
    ("ctrl", "negation", "CTRL trains a critic model to generate feedback that maximizes correction performance."),
    ("persian", "passive", "gaokerena-V was outperformed by the resulting model."),
    (
        "criticsearch",
        "passive",
        "Existing baselines are outperformed by CriticSearch on multi-hop reasoning benchmarks.",
    ),
    ("fingpt", "free", "Adapting FinGPT to one's own needs is cheap thanks to low-rank adaptation."),
    (
        "hindsight",
        "free",
        "Because feedback of every kind is written out as text, Chain of Hindsight learns from it whatever its "
        "polarity.",
    ),
    ("criticsearch", "free", "Since rewards are sparse at the end, CriticSearch gives feedback at every turn."),
    ("rest", "free", "Self-training reduces how much data has to be written by humans."),
    ("sysprompt", "free", "Earlier prompt optimization focused on user prompts and neglected the system prompt."),
    ("survey", "free", "Most of the surveyed research applies ChatGPT to natural language processing."),
    (
        "mismitifact",
        "free",
        "The critique models find and correct wrong numbers, entities and topics in what an LLM generates.",
    ),
    ("batgpt", "free", "BatGPT reads text in both directions, which alleviates hallucinations."),
)
_FALSE = (
    (
        "persian",
        "numbers swapped",
        "The dataset holds 2.5 million tokens in preferred answers and 2 million tokens in rejected ones.",
    ),
    (
        "agent2world",
        "number changed",
        "The fine-tuned model yields an average relative gain of 39.05% over the same model before training.",
    ),
    (
        "mismitifact",
        "direction",
        "MisMitiFact generates counter-responses of comparable quality while using significantly larger critique "
        "models.",
    ),
    ("mismitifact", "direction", "MisMitiFact decreases the throughput of feedback generation about 5x."),
    (
        "persian",
        "reversed",
        "The resulting model was outperformed by its predecessor, gaokerena-V, trained on 57 million tokens.",
    ),
    ("verirl", "another's", "VERIRL relies on large-scale closed-source model distillation."),
    ("verirl", "names swapped", "Veribench-700K was curated from 53K Verilog problems."),
    ("survey", "number changed", "The survey analyses 149 relevant papers on arXiv."),
    (
        "editor",
        "roles swapped",
        "ChatGPT acts as the user-specific instructor, while a smaller model serves as generator and editor.",
    ),
    ("fingpt", "number changed", "FinGPT collects real-time financial data from 43 diverse sources on the Internet."),
    ("fingpt", "another's", "FinGPT is close-sourced, and only its training logs were released."),
    (
        "batgpt",
        "name invented",
        "BatGPT was designed and trained jointly by Tsinghua University and Peking University.",
    ),
    (
        "tprf",
        "direction",
        "TPRF has a much larger memory footprint and slower inference time than other deep language models.",
    ),
    ("tprf", "over-claim", "TPRF can only be applied to one specific dense retriever."),
    ("criticsearch", "reversed", "CriticSearch is consistently outperformed by existing baselines."),
    ("criticsearch", "direction", "CriticSearch leads to slower convergence, and to lower performance."),
    ("examples", "direction", "The framework significantly degrades in-context learning performance on 30 tasks."),
    (
        "sysprompt",
        "direction",
        "The optimized system prompt requires more optimization steps for test-time user prompts.",
    ),
    (
        "ilf",
        "reversed",
        "Learning from comparison feedback alone outperforms learning from both language and comparison feedback.",
    ),
    ("hindsight", "negation", "Chain of Hindsight cannot learn from any form of feedback of negative polarity."),
    ("rest", "direction", "Self-training with feedback can substantially increase dependence on human-generated data."),
    (
        "regressor",
        "reversed",
        "On Friedman #2, Claude 3 is outperformed by supervised methods such as AdaBoost, SVM and Random Forest.",
    ),
    ("ctrl", "negation", "CTRL trains a critic model with human supervision."),
    ("ctrl", "direction", "Critics trained with CTRL significantly lower pass rates and compound errors."),
    ("leser", "over-claim", "LESER doubles the revenue of e-commerce platforms."),
    ("agent2world", "over-claim", "Agent2World plans better than human experts do in every domain."),
    ("tprf", "not shown", "The model writes a hypothetical document and retrieves with its embedding."),
    ("hindsight", "not shown", "The reward is learned from a few human preferences for visuomotor robot policies."),
    ("tprf", "another's", "TPRF achieves up to 106.1% relative improvement across code generation benchmarks."),
    ("hindsight", "another's", "Chain of Hindsight collects financial data from 34 diverse sources."),
    ("mismitifact", "name invented", "MisMitiFact builds its lightweight critique models on LLaMA-3."),
    ("tprf", "negation", "TPRF needs an environment where GPUs are present."),
    ("rest", "negation", "ReST^EM scales with model size but does not surpass fine-tuning on human data."),
    ("regressor", "negation", "Large language models cannot perform regression tasks."),
    ("survey", "direction", "The findings reveal a significantly decreasing interest in ChatGPT/GPT-4 research."),
    ("hindsight", "over-claim", "Chain of Hindsight solves the problem of aligning language models completely."),
    ("examples", "direction", "The gains are inconsistent across LLMs of varying sizes."),
    ("aquila", "direction", "Aquila-Med is a monolingual medical LLM based on Aquila."),
    ("mismitifact", "direction", "Manual fact-checking is cheap and scalable."),
    (
        "criticsearch",
        "another's",
        "CriticSearch evaluates each turn with a trace-back based rescore mechanism for Verilog.",
    ),
    ("fingpt", "over-claim", "FinGPT beats BloombergGPT on financial benchmarks."),
    ("hindsight", "over-claim", "Chain of Hindsight needs fewer parameters than RLHF."),
    ("rest", "over-claim", "ReST^EM was also evaluated on generating images."),
    ("batgpt", "over-claim", "BatGPT was trained on more than a trillion tokens of Chinese web pages."),
)


def _cases(rows: tuple[tuple[str, str, str], ...], supported: bool) -> list[Case]:
    halves: tuple[Half, Half] = ("tuned", "held_out")
    return [
        Case(tuple(dict.fromkeys((paper, *DISTRACTORS))), drafted, supported, kind, halves[place % 2])
        for place, (paper, kind, drafted) in enumerate(rows)
    ]


CASES = (*_cases(_TRUE, True), *_cases(_FALSE, False))
