"""The written path without a paid key: real prompts through the real pipeline, answered by stored replies.

``python -m eval.lab.replay`` prints what came of the drafts; ``--record FOLDER`` writes the prompts that have no valid
reply yet, one JSON file each, for somebody to answer from the prompt alone; ``--live`` asks the configured model
instead. Questions are of the development split. Earlier turns of a conversation are answered with quotes, so that one
reply and at most one plan are needed for each question.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from eval.collection import prepare
from eval.gold import GOLD, PAPERS, GoldQuestion, load_gold, records
from eval.graded import Graded
from eval.lab.replies import LiveModel, Match, Prompt, ReplayModel, read_replies
from eval.measures import score
from eval.metrics.answer import fact_coverage
from eval.run import CACHE, HOME, choose
from eval.table import aligned
from rag.chat_model import OpenAIChat
from rag.collection import Collection
from rag.corpus import read
from rag.engine import Assistant
from rag.pricing import cost_usd
from rag.query.language import foreign_language
from rag.settings import Settings
from rag.types import Answer, Options, StreamEvent, TextDelta, Turn
from rag.verify import State

KINDS = ("single", "fact", "multi", "everyday", "list", "comparison", "unanswerable", "false_premise", "conversation")
PER_KIND = 10
PRICED = ("gpt-4o-mini", "gpt-5")  # whose list prices are printed
STATES: tuple[State, ...] = ("verified", "unchecked", "contradicted")
_STATUS = re.compile(r"\W{0,5}answer\W{0,5}:\W{0,5}(full|partial|none)[^\n]{0,300}\n?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question or chat request with what came of it."""

    id: str
    kind: str  # of the question, or "chat"
    gold: GoldQuestion | None  # None: a chat request
    intent: str  # of a chat request
    before: tuple[str, ...]  # the questions of the turns before
    answer: Answer
    earlier: Answer | None  # the answer before
    drafts: tuple[tuple[Prompt, Match, str], ...]  # what the model was asked and said
    pending: tuple[tuple[Prompt, Match], ...]
    overhead_s: float | None = None  # from the model's first word to the reader's

    @property
    def complete(self) -> bool:
        """Whether everything but a rewriting could be served."""
        return all(prompt.kind == "repair" for prompt, _ in self.pending)

    @property
    def status(self) -> str:
        """What the draft says of the passages; empty if there is none."""
        found = _STATUS.match(self._said)
        return found[1].casefold() if found else ""

    @property
    def draft(self) -> str:
        """What the model wrote, without its status."""
        return _STATUS.sub("", self._said, count=1)

    @property
    def _said(self) -> str:
        return next((text for prompt, _, text in self.drafts if prompt.kind in ("answer", "transform")), "")

    @property
    def graded(self) -> Graded | None:
        """As the evaluation reads it; None for a chat request."""
        return Graded(self.gold, None, self.answer) if self.gold else None

    def draft_is_right(self) -> bool:
        """All facts are in it; or it declines, where that is right."""
        assert self.gold is not None
        if self.gold.expects != "answer" and self.status in ("none", "partial"):
            return True
        return bool(self.gold.facts) and fact_coverage(self.draft, self.gold.facts) == 1.0

    def shown_is_right(self) -> bool:
        """The same of what reached the reader."""
        graded = self.graded
        assert graded is not None
        return graded.right == 1.0 if graded.question.expects != "answer" else graded.facts == 1.0


def requests(split: str = "dev") -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Id, turns and intent of the chat requests."""
    for _, record in records(GOLD / "chat" / "requests.jsonl"):
        if record["split"] == split:
            yield record["id"], tuple(turn["question"] for turn in record["turns"]), record["intent"]


def ask_all(assistant: Assistant, model: ReplayModel, *, per_kind: int = PER_KIND) -> list[Asked]:
    """Ask the chosen questions and all chat requests, the last turn of each in writing."""
    asked = []
    for kind in KINDS:
        for question in choose(load_gold("dev", [kind]), per_kind):
            asked.append(_ask(assistant, model, question.id, question.turns, question, ""))
    for name, turns, intent in requests():
        asked.append(_ask(assistant, model, name, turns, None, intent))
    return asked


def _ask(
    assistant: Assistant,
    model: ReplayModel,
    name: str,
    turns: Sequence[str],
    gold: GoldQuestion | None,
    intent: str,
) -> Asked:
    history: list[Turn] = []
    earlier = None
    for text in turns[:-1]:
        earlier = assistant.ask(text, history, Options(mode="extractive"))
        history.append(Turn.of(earlier))
    model.reset()
    answer, shown = _told(assistant.stream(turns[-1], history, Options(mode="generative")))
    overhead = shown - model.first_s if shown is not None and model.first_s is not None else None
    kind = gold.kind if gold else "chat"
    return Asked(
        name,
        kind,
        gold,
        intent,
        tuple(turns[:-1]),
        answer,
        earlier,
        tuple(model.served),
        tuple(model.pending),
        overhead,
    )


def _told(events: Iterable[StreamEvent]) -> tuple[Answer, float | None]:
    """The answer of a stream, and when the first drafted word was shown."""
    first = None
    for event in events:
        if first is None and isinstance(event, TextDelta) and event.draft:
            first = time.perf_counter()
        if isinstance(event, Answer):
            return event, first
    raise AssertionError("a stream ends with its answer")


def fits_request(one: Asked) -> bool:
    """Whether a chat request was met, as far as a rule can tell."""
    answer, cited = one.answer, {each.paper_id for each in one.answer.citations}
    before = {each.paper_id for each in one.earlier.citations} if one.earlier else set()
    met = {
        "count": "119" in answer.text and not cited,
        "about_conversation": any(text.rstrip("?") in answer.text for text in (*one.before, *_said(one.earlier))),
        "summarise_paper": answer.verdict == "answered" and len(cited) == 1,
        "transform": answer.verdict != "refused" and bool(cited) and cited <= before,
        "other_language": answer.verdict != "refused" and foreign_language(answer.text) is not None,
        "off_topic": answer.verdict == "refused",
    }
    return met.get(
        one.intent, answer.verdict == "answered" and not cited
    )  # greetings, thanks, what it can do and holds


def _said(answer: Answer | None) -> tuple[str, ...]:
    return (answer.text,) if answer else ()


def report(asked: Sequence[Asked], abstracts: dict[str, str]) -> str:
    """The numbers, one a line."""
    whole = [one for one in asked if one.complete]
    gold = [one for one in whole if one.gold and one.draft]
    chat = [one for one in whole if not one.gold]
    rows: list[tuple[str, str]] = [("asked", str(len(asked))), ("with all replies", str(len(whole)))]
    matches = Counter(match for one in whole for _, match, _ in one.drafts)
    rows.append(("replies served", f"{matches['exact']} exact, {matches['moved']} with passages moved"))
    stale = [(prompt, match) for one in asked for prompt, match in one.pending]
    rows.append(("prompts without reply", f"{len(stale)}, of which {sum(m == 'stale' for _, m in stale)} went stale"))
    for kind in (*KINDS, "all"):
        some = [one for one in gold if kind in (one.kind, "all")]
        right = [one for one in some if one.draft_is_right()]
        shown = sum(one.shown_is_right() for one in some)
        kept = sum(one.shown_is_right() for one in right)
        rows.append(
            (f"{kind}: draft right, shown right", f"{len(right)}, {shown} of {len(some)} ({kept} of the former)")
        )
    sentences = [each for one in gold for each in one.answer.sentences]
    states = Counter(each.state for each in sentences)
    rows += [(f"sentences {state}", _share(states[state], len(sentences))) for state in STATES]
    left = [each["why"] for one in gold for each in one.answer.trace.get("left_out", ())]
    mended = sum(why.startswith("rewritten") for why in left)
    rows.append(("sentences contradicted, before repair", _share(states["contradicted"] + mended, len(sentences))))
    struck = [one for one in gold if any(each.state == "contradicted" for each in one.answer.sentences)]
    rows.append(("answers with a sentence struck", _share(len(struck), len(gold))))
    values = score([one.graded for one in gold if one.graded], abstracts)
    for name in ("citation_precision", "citation_recall", "cited_precision", "cited_recall"):
        if values.get(name):
            rows.append((name, f"{fmean(values[name].values()):.3f} of {len(values[name])}"))
    wrote, shown_papers, both = _cited(gold)
    rows.append(("papers cited that the draft cites there", _share(both, shown_papers)))
    rows.append(("papers the draft cites that are cited", _share(both, wrote)))
    for status in ("full", "partial", "none"):
        verdicts = Counter(one.answer.verdict for one in gold if one.status == status)
        rows.append((f"draft says {status}", ", ".join(f"{count} {name}" for name, count in sorted(verdicts.items()))))
    silent = [one for one in gold if one.gold and one.gold.expects == "abstain"]
    declined = sum(one.answer.verdict != "answered" for one in silent)
    rows.append(("unanswerable, not answered", _share(declined, len(silent))))
    rows += _spent(gold)
    rows.append(("chat requests right", _share(sum(map(fits_request, chat)), len(chat))))
    return aligned([["", ""], *map(list, rows)])


def _spent(gold: Sequence[Asked]) -> list[tuple[str, str]]:
    """What an answer takes: tokens and dollars of all its calls, and how long its first word is held back."""
    sent = fmean(one.answer.usage.prompt_tokens for one in gold)
    written = fmean(one.answer.usage.completion_tokens for one in gold)
    prices = {name: cost_usd(name, round(sent), round(written), local=False) or 0.0 for name in PRICED}
    held_back = sorted(1000 * one.overhead_s for one in gold if one.overhead_s is not None)
    rows = [("tokens of an answer", f"{sent:.0f} sent, {written:.0f} written")]
    rows.append(("cost of an answer", ", ".join(f"${dollars:.5f} {name}" for name, dollars in prices.items())))
    if held_back:
        rows.append(("first word held back", f"median {median(held_back):.1f} ms, longest {held_back[-1]:.1f} ms"))
    return rows


def _cited(gold: Sequence[Asked]) -> tuple[int, int, int]:
    """Papers that the drafts cite, that the answers cite, and that both do, summed over the answers."""
    wrote = shown = both = 0
    for one in gold:
        prompt, text = next((p, t) for p, _, t in one.drafts if p.kind in ("answer", "transform"))
        titles = re.findall(r'<passage number="\d{1,3}">\nTitle: ([^\n·]{1,400})', prompt.messages[-1]["content"])
        drafted = {titles[int(n) - 1].strip() for n in re.findall(r"\[(\d{1,3})\]", text) if int(n) <= len(titles)}
        cited = {each.title.strip() for each in one.answer.citations}
        wrote, shown, both = wrote + len(drafted), shown + len(cited), both + len(drafted & cited)
    return wrote, shown, both


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.3f})" if whole else "none"


def _details(asked: Sequence[Asked]) -> Iterator[str]:
    for one in asked:
        for prompt, match in one.pending:
            yield f"{one.id}: no reply to its {prompt.kind} prompt ({match})"
        if one.complete and one.gold and one.draft and one.draft_is_right() != one.shown_is_right():
            yield f"{one.id}: draft right {one.draft_is_right()}, shown {one.shown_is_right()} ({one.answer.verdict})"
        elif one.complete and one.gold and one.draft and not one.shown_is_right():
            yield f"{one.id}: not right, drafted or shown ({one.answer.verdict})"
        if one.complete and not one.gold and not fits_request(one):
            yield f"{one.id} {one.intent}: {one.answer.text[:300]!r}"
        for each in one.answer.sentences if one.draft else ():
            if each.state != "verified":
                yield f"   {one.id} {each.state}: {each.text}"
        for left in one.answer.trace.get("left_out", ()) if one.draft else ():
            yield f"   {one.id} left out: {left}"


def record(asked: Sequence[Asked], folder: Path) -> int:
    """Write the pending prompts, one JSON file each; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for one in asked:
        for prompt, _ in one.pending:
            entry = {"question": one.id, **prompt.record(), "messages": list(prompt.messages), "reply": ""}
            file = folder / f"{one.id}-{prompt.kind}.json"
            file.write_text(json.dumps(entry, ensure_ascii=False, indent=1), encoding="utf-8")
            count += 1
    return count


def main() -> None:
    """Print the numbers, or write the prompts that wait for a reply."""
    parser = argparse.ArgumentParser(description="The written path, replayed.")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="write the prompts without a reply there")
    parser.add_argument("--live", action="store_true", help="ask the configured model instead")
    parser.add_argument("--list", action="store_true", help="print what went wrong, and every unverified sentence")
    parser.add_argument("--per-kind", type=int, default=PER_KIND, help="questions of each kind")
    options = parser.parse_args()
    logging.getLogger("rag").setLevel(logging.ERROR)  # that no reply is stored is counted below
    settings = Settings.load()
    papers = read(PAPERS).papers
    own = prepare(settings, papers, settings.data_dir / HOME / CACHE)
    model = LiveModel((), model=OpenAIChat.from_settings(own)) if options.live else ReplayModel(read_replies())
    if not options.live:
        own = own.model_copy(update={"openai_base_url": "http://127.0.0.1:9/replay", "openai_api_key": None})
    with Assistant(own, Collection.open(own), lambda *_: model) as assistant:
        asked = ask_all(assistant, model, per_kind=options.per_kind)
    if options.record:
        print(f"{record(asked, options.record)} prompts written")
    print(report(asked, {paper.id: paper.abstract for paper in papers}))
    if options.list:
        print("\n".join(_details(asked)))


if __name__ == "__main__":
    main()
