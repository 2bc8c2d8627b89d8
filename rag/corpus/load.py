"""Files to papers: reads any format, checks every record, and names file, line and reason when one is bad."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from rag.corpus import blocks, detect
from rag.corpus.decode import Decoded, binary_kind, decode
from rag.corpus.record import MAX_LINE_BYTES, Fault, to_paper
from rag.errors import CorpusError
from rag.types import Paper

MAX_FILE_BYTES = 2_000_000_000  # a file is read as a whole
MAX_RECORDS = 5_000_000
LINES_PER_RECORD = 500  # of the most verbose format, with room to spare


@dataclass(frozen=True, slots=True)
class Limits:
    """How large input may be."""

    line_bytes: int = MAX_LINE_BYTES
    file_bytes: int = MAX_FILE_BYTES
    records: int = MAX_RECORDS  # of one file, bad and doubled ones included


@dataclass(frozen=True, slots=True)
class Reading:
    """What one file held. ``papers[i]`` begins on line ``lines[i]``; ids are distinct."""

    file: str  # as the user named it
    format: str | None  # a key of `FORMATS`; None if the file could not be read at all
    papers: tuple[Paper, ...] = ()
    lines: tuple[int, ...] = ()
    faults: tuple[CorpusError, ...] = ()  # in the order of their lines; empty unless skip_bad
    merged: int = 0  # records left out because an identical one came before


@dataclass(frozen=True, slots=True)
class Collection:
    """What several files held together. Ids are distinct; the first record of an id is the one that counts."""

    papers: tuple[Paper, ...] = ()
    faults: tuple[CorpusError, ...] = ()
    merged: int = 0
    readings: tuple[Reading, ...] = ()  # one per file, in the order given


def read(path: Path, *, skip_bad: bool = False, limits: Limits | None = None) -> Reading:
    """Read one file of any known format.

    Raises CorpusError at the first fault; with skip_bad, faults are collected instead and the rest is read.
    """
    file = str(path)
    limits = limits or Limits()
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            return _refused(CorpusError(file, None, _too_large(size, limits)), skip_bad)
        data = path.read_bytes()
    except OSError as error:
        return _refused(CorpusError(file, None, _os_reason(error)), skip_bad)
    return read_bytes(file, data, skip_bad=skip_bad, limits=limits)


def read_bytes(name: str, data: bytes, *, skip_bad: bool = False, limits: Limits | None = None) -> Reading:
    """Read an upload: as `read`, with name in place of the path."""
    limits = limits or Limits()
    try:
        decoded, format_name = _opened(name, data, limits)
    except CorpusError as error:
        return _refused(error, skip_bad)
    papers: dict[str, Paper] = {}
    lines: dict[str, int] = {}
    faults: list[CorpusError] = []
    merged = 0
    for number, outcome in enumerate(_outcomes(name, decoded, format_name, limits), start=1):
        if number > limits.records:
            return _refused(CorpusError(name, None, _too_many(limits)), skip_bad)
        fault = outcome if isinstance(outcome, CorpusError) else None
        if not isinstance(outcome, CorpusError):
            paper, line = outcome
            known = papers.get(paper.id)
            if known is None:
                papers[paper.id], lines[paper.id] = paper, line
            elif _same_text(known, paper):
                merged += 1
            else:
                fault = CorpusError(name, line, _clash(paper.id, f"on line {lines[paper.id]}"))
        if fault is not None:
            if not skip_bad:
                raise fault
            faults.append(fault)
    faults.sort(key=lambda fault: fault.line or 0)
    if not papers and not faults:
        return _refused(CorpusError(name, None, f"no papers in it (read as {format_name})"), skip_bad)
    return Reading(name, format_name, tuple(papers.values()), tuple(lines.values()), tuple(faults), merged)


def read_all(paths: Iterable[Path], *, skip_bad: bool = False, limits: Limits | None = None) -> Collection:
    """Read several files and merge them; an id that two files give to different texts is a fault of the later one.

    Raises CorpusError at the first fault; with skip_bad, faults are collected, a file that cannot be read among them.
    """
    return merge((read(path, skip_bad=skip_bad, limits=limits) for path in paths), skip_bad=skip_bad)


def merge(readings: Iterable[Reading], *, skip_bad: bool = False) -> Collection:
    """Put readings together, first come, first kept. Raises CorpusError at a clash, unless skip_bad."""
    kept: dict[str, tuple[Paper, str, int]] = {}
    faults: list[CorpusError] = []
    seen: list[Reading] = []
    merged = 0
    for reading in readings:
        seen.append(reading)
        faults.extend(reading.faults)
        merged += reading.merged
        for paper, line in zip(reading.papers, reading.lines, strict=True):
            known, file, known_line = kept.setdefault(paper.id, (paper, reading.file, line))
            if known is paper:
                continue
            if _same_text(known, paper):
                merged += 1
                continue
            fault = CorpusError(reading.file, line, _clash(paper.id, f"in {file}, line {known_line}"))
            if not skip_bad:
                raise fault
            faults.append(fault)
    return Collection(tuple(paper for paper, _, _ in kept.values()), tuple(faults), merged, tuple(seen))


def _opened(name: str, data: bytes, limits: Limits) -> tuple[Decoded, str]:
    """The file's text and format. Raises CorpusError if it is nothing we read."""
    if len(data) > limits.file_bytes:
        raise CorpusError(name, None, _too_large(len(data), limits))
    if not data.strip():
        raise CorpusError(name, None, "the file is empty")
    kind = binary_kind(data)
    if kind is not None:
        raise CorpusError(name, None, f"this is {kind}, not text. Readback reads {detect.FORMAT_NAMES}")
    decoded = decode(data, name)
    if not decoded.text.strip():
        raise CorpusError(name, None, "the file is empty")
    if decoded.text.count("\n") > limits.records * LINES_PER_RECORD:
        raise CorpusError(name, None, _too_many(limits))
    format_name = detect.sniff(decoded.text, name)
    if format_name is None:
        raise CorpusError(name, None, f"unknown format. Readback reads {detect.FORMAT_NAMES}")
    return decoded, format_name


def _outcomes(
    name: str, decoded: Decoded, format_name: str, limits: Limits
) -> Iterator[tuple[Paper, int] | CorpusError]:
    """Every record as a paper with its line, or as the fault that keeps it from being one."""
    spoilt = _spoilt_lines(decoded, limits)
    for item in detect.items(decoded.text, PurePath(name).name, format_name):
        hit = [line for line in range(item.line, (item.last_line or item.line) + 1) if line in spoilt] if spoilt else []
        if hit:
            for line in hit:
                yield CorpusError(name, line, spoilt.pop(line))
        elif isinstance(item, Fault):
            yield CorpusError(name, item.line, item.reason)
        else:
            try:
                yield to_paper(item, name), item.line
            except CorpusError as error:
                yield error
    for line, reason in spoilt.items():  # in no record, but it may have been meant as one
        yield CorpusError(name, line, reason)


def _spoilt_lines(decoded: Decoded, limits: Limits) -> dict[int, str]:
    """Lines that no record may be made of, with the reason."""
    spoilt = {
        line: f"byte {offset} of the file is not UTF-8, and no other encoding fits for certain: save the file as UTF-8"
        for line, offset in decoded.bad_bytes.items()
    }
    for number, line in blocks.lines(decoded.text):
        if len(line) * 4 > limits.line_bytes:  # a character takes four bytes at most
            size = len(line.encode("utf-8", "surrogateescape"))
            if size > limits.line_bytes:
                spoilt[number] = f"the line has {size:,} bytes; more than {limits.line_bytes:,} cannot be one paper"
    return spoilt


def _refused(error: CorpusError, skip_bad: bool) -> Reading:
    """A file of which nothing can be read."""
    if not skip_bad:
        raise error
    return Reading(error.file, None, faults=(error,))


def _same_text(one: Paper, other: Paper) -> bool:
    return (one.title, one.abstract) == (other.title, other.abstract)


def _clash(paper_id: str, where: str) -> str:
    return f'the id "{paper_id}" belongs to a record with different text {where}'


def _too_large(size: int, limits: Limits) -> str:
    return f"{size:,} bytes are more than the {limits.file_bytes:,} that are read at once: split the file"


def _too_many(limits: Limits) -> str:
    return f"more than {limits.records:,} records: split the file"


def _os_reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "this is a folder: name the files in it"
    return f"the file cannot be opened ({error.strerror or error})"
