"""Reading text: sentences with offsets, content words, quantities, names and citation markers.

Pure, and the same for all stages. Every function takes any string and its time grows no faster than the string.
"""

from rag.text.inert import inert, marked_places
from rag.text.markers import marker_numbers, without_markers
from rag.text.names import Names, acronyms, holds_name, names
from rag.text.numbers import numbers
from rag.text.sentences import MAX_SENTENCE_CHARS, Span, sentences
from rag.text.words import STOP_WORDS, content_stems, content_words, stem, words

__all__ = [
    "MAX_SENTENCE_CHARS",
    "STOP_WORDS",
    "Names",
    "Span",
    "acronyms",
    "content_stems",
    "content_words",
    "holds_name",
    "inert",
    "marked_places",
    "marker_numbers",
    "names",
    "numbers",
    "sentences",
    "stem",
    "without_markers",
    "words",
]
