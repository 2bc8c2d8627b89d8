"""What is no question for the collection gets a fitting reply, and no question is taken for small talk."""

from __future__ import annotations

import json

import pytest

from eval.gold import GOLD, expand, load_gold, load_natural
from rag import Answer, Assistant, Turn
from rag.query.intent import recognise
from tests.engine.shared import CTRL, TPRF, Scripted, check, deltas, streamed, writing

LAST = Turn("How does TPRF save memory?", "How does TPRF save memory?", "…", ("TPRF: A",), (TPRF,))
NAMES = {"summarise_paper": "summarise", "about_conversation": "conversation", "off_topic": "question"}
REFEED = "How does ReFeed work?"


def requests() -> list[tuple[str, list[str], str]]:
    """(id, turns, intent) of the development half of the chat requests."""
    lines = (GOLD / "chat" / "requests.jsonl").read_text("utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["split"] == "dev"]
    return [
        (one["id"], [turn["question"] for turn in one["turns"]], NAMES.get(one["intent"], one["intent"]))
        for one in records
    ]


@pytest.mark.parametrize(("turns", "intent"), [one[1:] for one in requests()], ids=[one[0] for one in requests()])
def test_requests_are_recognised(turns: list[str], intent: str) -> None:
    assert recognise(turns[-1], [LAST] * (len(turns) - 1)).intent == intent


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("hi, how are you?", "greeting"),
        ("Good morning!", "greeting"),
        ("perfect, that answers my question", "thanks"),
        ("ok thanks, bye", "thanks"),
        ("how many abstracts do you have?", "count"),
        ("What is the size of the collection?", "count"),
        ("which topics do you cover?", "overview"),
        ("Summarise the collection, please.", "overview"),
        ("What can I ask you?", "capabilities"),
        ("can you access the internet", "capabilities"),
        ("Could you put that in a table?", "transform"),
        ("Translate it into German.", "transform"),
        ("tl;dr", "transform"),
        ("what was my first question?", "conversation"),
        ("Where did you get that from?", "conversation"),
        ("tl;dr of ReFeed", "summarise"),
        ("Quels articles parlent de la recherche dense ?", "other_language"),
        ("¿Cómo se puede mejorar la recuperación de información?", "other_language"),
        ("如何改进检索", "other_language"),
        # and what only looks like one of these
        ("thanks. how do I stop RL for verilog from overfitting?", "question"),
        ("How many papers are there on RL?", "question"),
        ("how big is the dataset?", "question"),
        ("Summarise the literature on RLHF", "question"),
        ("hello world programs written by models", "question"),
        ("help with query expansion", "question"),
        ("Why?", "question"),
        ("And the second one?", "question"),
        ("Which datasets did they use?", "question"),
        ("Explain RLHF simply", "question"),
    ],
)
def test_everyday_wordings(said: str, intent: str) -> None:
    assert recognise(said, [LAST]).intent == intent


def test_no_question_of_the_development_set_is_small_talk() -> None:
    texts = [turn for one in load_gold("dev") for item in expand(one, standalone=True) for turn in item.turns]
    texts += [one.question for one in load_natural("fit")]
    taken = [text for text in texts if recognise(text, [LAST]).intent != "question" and text != "Nice."]
    assert len(texts) > 500
    assert taken == []


def test_nothing_can_be_put_otherwise_before_there_is_an_answer() -> None:
    assert recognise("Say that shorter.").intent == "question"


def replied(assistant: Assistant, *turns: str) -> Answer:
    """The checked reply to the last turn, which searched for nothing."""
    chat = assistant.conversation()
    for turn in turns[:-1]:
        chat.ask(turn)
    events, answer = streamed(assistant, turns[-1], chat.turns)
    assert deltas(events) == answer.text
    assert answer.verdict == "answered"
    assert answer.retrieved == ()
    for citation in answer.citations:
        paper = assistant.paper(citation.paper_id)
        assert paper is not None
        assert paper.abstract[citation.start : citation.end] == citation.quote
        assert f"[{citation.marker}]" in answer.text
    return answer


def test_a_greeting_is_returned_with_something_to_ask(assistant: Assistant) -> None:
    answer = replied(assistant, "Hello!")
    assert answer.intent == "greeting"
    assert answer.text.startswith("Hello!")
    assert answer.suggestions
    assert assistant.ask(answer.suggestions[0]).verdict == "answered"


def test_the_papers_are_counted(assistant: Assistant) -> None:
    assert f"{len(assistant.papers())} papers" in replied(assistant, "How many papers are there?").text


def test_an_overview_names_topics_and_their_sizes(assistant: Assistant) -> None:
    text = replied(assistant, "What is this collection about?").text
    sizes = [int(line.rpartition("(")[2].split()[0]) for line in text.splitlines() if line.endswith("papers)")]
    assert sum(sizes) == len(assistant.papers())
    assert "relevance feedback" in text


def test_full_texts_are_not_promised(assistant: Assistant) -> None:
    assert replied(assistant, "Can you read the full PDFs of the papers?").text.startswith("No: ")


def test_the_conversation_is_remembered(assistant: Assistant) -> None:
    asked = ("What is TPRF?", "thanks!", REFEED)
    assert "“What is TPRF?”" in replied(assistant, *asked, "What did I ask first?").text
    assert "Plug-and-Play" in replied(assistant, *asked, "Which sources did you use?").text
    repeated = replied(assistant, *asked, "Say that again.")
    assert (repeated.text, repeated.citations) == (
        assistant.ask(REFEED).text,
        assistant.ask(REFEED).citations,
    )


def test_an_answer_is_shortened_to_one_quoted_sentence(assistant: Assistant) -> None:
    whole, short = assistant.ask(REFEED), replied(assistant, REFEED, "Say that shorter.")
    assert len(short.text) < len(whole.text)
    (citation,) = short.citations
    assert "ReFeed" in citation.quote


def test_an_answer_is_shown_as_a_list_and_as_a_table(assistant: Assistant) -> None:
    quotes = [one.quote for one in assistant.ask(REFEED).citations]
    listed = replied(assistant, REFEED, "as bullet points please")
    assert [line[0] for line in listed.text.splitlines()] == ["-"] * len(quotes)
    table = replied(assistant, REFEED, "Can you put it in a table?")
    assert len([line for line in table.text.splitlines() if line.startswith("|")]) == len(quotes) + 2
    assert [one.quote for one in table.citations] == quotes


def test_without_a_model_other_words_are_not_promised(assistant: Assistant) -> None:
    assert "needs a language model" in replied(assistant, REFEED, "Explain that simply, I'm new to this.").text


def test_a_model_may_put_an_answer_into_other_words(assistant: Assistant) -> None:
    model = Scripted("ReFeed explained simply")
    history = [Turn.of(assistant.ask(REFEED))]
    writing(assistant, model).ask("Explain that simply.", history)
    assert model.calls


@pytest.mark.parametrize("request_", ["Summarise the CTRL paper.", "summary of CTRL please"])
def test_a_named_paper_is_summarised(assistant: Assistant, request_: str) -> None:
    answer = assistant.ask(request_)
    check(answer, assistant)
    assert (answer.intent, answer.verdict) == ("summarise", "answered")
    assert {one.paper_id for one in answer.citations} == {CTRL}


def test_one_of_the_last_answers_papers_is_summarised(assistant: Assistant) -> None:
    chat = assistant.conversation()
    cited = chat.ask("Which papers use pseudo relevance feedback?")
    papers = list(dict.fromkeys(one.paper_id for one in cited.citations))
    answer = chat.ask("Summarise the second one.")
    check(answer, assistant)
    assert (answer.intent, answer.verdict) == ("summarise", "answered")
    assert {one.paper_id for one in answer.citations} == {papers[1]}


def test_an_absent_paper_is_not_summarised(assistant: Assistant) -> None:
    answer = assistant.ask("Summarise the Zarquon-9 paper.")
    check(answer, assistant)
    assert answer.verdict != "answered"


def test_thanks_are_not_what_a_follow_up_is_about(assistant: Assistant) -> None:
    chat = assistant.conversation()
    first = chat.ask("What is TPRF?")
    chat.ask("thanks, that helped")
    assert chat.ask("And how much memory does it save?").retrieved[0].paper_id == first.retrieved[0].paper_id == TPRF


def test_another_language_is_told_and_gets_the_closest(assistant: Assistant) -> None:
    answer = assistant.ask("Wie kann man Halluzinationen mit Retrieval nachträglich korrigieren?")
    check(answer, assistant)
    assert (answer.intent, answer.verdict) == ("other_language", "closest")
    assert "language of the papers" in answer.text
    assert answer.citations
