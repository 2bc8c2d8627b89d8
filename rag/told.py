"""What the reader of a stream knows by now, for faces that can change what they showed and for those that cannot."""

from __future__ import annotations

from dataclasses import dataclass

from rag.text import without_markers
from rag.types import Answer, Citation, Retrieved, RetrievedPaper, Sentence, SentenceVerdict, StreamEvent, TextDelta

TAKEN_BACK = "\n\n---\nWhat stands above this line did not pass the check as a whole. The answer is:\n\n"


@dataclass(slots=True)
class Told:
    """The events of one stream so far, but for its Answer."""

    standalone_question: str | None = None
    searched: str = ""  # last
    papers: tuple[RetrievedPaper, ...] = ()
    text: str = ""  # for good, as far as is known by now
    shown: str = ""  # all that was said, in order, judged or not: what a face has that can only append
    spans: tuple[tuple[Sentence, int, int], ...] = ()  # sentences, with where they stand in what was shown
    citations: tuple[Citation, ...] = ()
    _drafted: str = ""
    _judged: int = 0  # characters of the draft

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Those that were judged, in order."""
        return tuple(sentence for sentence, *_ in self.spans)

    @property
    def pale(self) -> str:
        """What the model has written and nobody has judged yet. It goes behind the text."""
        return self._drafted[self._judged :]

    def hear(self, event: StreamEvent) -> None:
        """Take in the next event. An Answer changes nothing."""
        if isinstance(event, Retrieved):
            self.standalone_question = self.standalone_question or event.standalone_question
            self.searched, self.papers = event.standalone_question, event.papers
        elif isinstance(event, SentenceVerdict):
            if event.sentence is not None:
                joint = self._drafted[self._judged : event.start]
                self.text += (joint if self.text else joint.lstrip()) + event.sentence.text
                self.spans += ((event.sentence, event.start, event.end),)
            self.citations += event.citations
            self._judged = event.end
        elif isinstance(event, TextDelta):
            self.shown += event.text
            self._drafted += event.text if event.draft else ""
            self.text += "" if event.draft else event.text

    def rest(self, answer: Answer) -> str:
        """What a face that can only append must add to what it has shown, so that its reader has the whole answer."""
        if answer.text.startswith(self.shown):
            return answer.text[len(self.shown) :]
        said, meant = without_markers(self.shown)[0], without_markers(answer.text)[0]
        if said.startswith(meant) and not answer.abstained:  # at most half a sentence more
            return ""
        return (TAKEN_BACK if self.shown else "") + answer.text
