"""Paper abstracts from files of many formats, cleaned, checked and with stable ids.

reading = read(Path("papers.bib"), skip_bad=True)
reading.papers, reading.faults
"""

from rag.corpus.clean import clean
from rag.corpus.detect import FORMATS
from rag.corpus.jsonl import write_jsonl
from rag.corpus.load import Collection, Limits, Reading, merge, read, read_all, read_bytes
from rag.corpus.record import MAX_LINE_BYTES

__all__ = [
    "FORMATS",
    "MAX_LINE_BYTES",
    "Collection",
    "Limits",
    "Reading",
    "clean",
    "merge",
    "read",
    "read_all",
    "read_bytes",
    "write_jsonl",
]
