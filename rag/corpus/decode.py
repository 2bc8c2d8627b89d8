"""Bytes to text, by rules that can be explained: UTF-8, else UTF-16 by its mark, else a guess that must be sure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rag.errors import CorpusError

SAMPLE_BYTES = 200_000  # enough for an encoding guess; guessing is slow
MAX_BAD_LINES = 10_000  # more, and it is not the lines that are damaged: the file's encoding is unknown
_SIGNATURES = {
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a zip archive (or an Office file)",
    b"PK\x05\x06": "a zip archive",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"BZh": "a bzip2 archive: unpack it first",
    b"\xfd7zXZ": "an xz archive: unpack it first",
    b"(\xb5/\xfd": "a zstd archive: unpack it first",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"SQLite format 3": "a SQLite database",
    b"PAR1": "a Parquet file",
    b"\x7fELF": "a program",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"{\\rtf": "a Rich Text file: save it as plain text first",
}
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROL_SHARE = 0.1
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
_BAD = re.compile("[\udc80-\udcff]")  # bytes that surrogateescape carried over
# A guess counts when it reads like clean text and no other reading comes near it (charset-normalizer's own measures).
_MAX_CHAOS, _CLEAR_CHAOS = 0.05, 0.1
_MIN_COHERENCE, _CLEAR_COHERENCE = 0.4, 0.05
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def binary_kind(data: bytes) -> str | None:
    """What a file that is no text is, in words for the user; None for text."""
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data.startswith((*_UTF16, *_UTF32)):
        return None
    sample = data[:8192]
    share = len(_CONTROL.findall(sample)) / max(len(sample), 1)
    return "a binary file" if share > _MAX_CONTROL_SHARE else None


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text with ``\\n`` line ends, and where the bytes are that no encoding explains."""

    text: str
    bad_bytes: Mapping[int, int] = field(default_factory=dict)  # line, from 1 -> offset of its first one in the file


def decode(data: bytes, file: str) -> Decoded:
    """Bytes as text; bad bytes stand as lone surrogates in it.

    Raises CorpusError for UTF-16 or UTF-32 that is cut off or damaged, since no line of it can be trusted.
    """
    bad: dict[int, int] = {}
    if data.startswith((*_UTF32, *_UTF16)):
        name = "utf-32" if data.startswith(_UTF32) else "utf-16"
        try:
            text = data.decode(name)
        except UnicodeDecodeError as error:
            reason = f"not valid {name.upper()} at byte {error.start}: save the file as UTF-8"
            raise CorpusError(file, data[: error.start].decode(name, "ignore").count("\n") + 1, reason) from error
    else:
        try:
            text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        except UnicodeDecodeError:
            text = _guessed(data.removeprefix(codecs.BOM_UTF8))
            bad = _bad_bytes(data, file) if _BAD.search(text) else {}
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n"), bad)


def _bad_bytes(data: bytes, file: str) -> dict[int, int]:
    bad: dict[int, int] = {}
    for number, line in enumerate(_LINE.finditer(data), start=1):
        try:
            line[0].decode("utf-8")
        except UnicodeDecodeError as error:
            bad[number] = line.start() + error.start
            if len(bad) > MAX_BAD_LINES:
                reason = f"more than {MAX_BAD_LINES:,} lines are not UTF-8, and no other encoding fits for certain"
                raise CorpusError(file, next(iter(bad)), f"{reason}: save the file as UTF-8") from error
    return bad


def _guessed(data: bytes) -> str:
    intact = data.decode("utf-8", "ignore")
    damaged = len(data) - len(intact.encode("utf-8"))
    sound = len(intact) - len(intact.encode("ascii", "ignore"))
    # with more sound than damaged it is UTF-8 with a broken spot: another encoding would garble the sound part
    encoding = None if sound > damaged else _confident_guess(data)
    return data.decode("utf-8", "surrogateescape") if encoding is None else data.decode(encoding)


def _confident_guess(data: bytes) -> str | None:
    """The one encoding that fits without doubt, or None. Two good guesses that read the bytes differently are doubt."""
    from charset_normalizer import from_bytes

    sample = _lines_with_high_bytes(data)
    matches = list(from_bytes(sample))
    if not matches or matches[0].chaos > _MAX_CHAOS:
        return None
    best = matches[0]
    rivals = [other for other in matches[1:] if str(other) != str(best) and other.chaos <= best.chaos + _CLEAR_CHAOS]
    lead = best.coherence - max((rival.coherence for rival in rivals), default=-1.0)
    if rivals and (best.coherence < _MIN_COHERENCE or lead < _CLEAR_COHERENCE):
        return None
    try:
        data.decode(best.encoding)
        ends_lines = b"\n" in "\n".encode(best.encoding)  # not so in EBCDIC, where "%" would begin a line
    except (UnicodeDecodeError, LookupError):
        return None
    return best.encoding if ends_lines else None


def _lines_with_high_bytes(data: bytes) -> bytes:
    """The lines that tell encodings apart."""
    lines: list[bytes] = []
    size = 0
    for match in _LINE.finditer(data):
        if not match[0].isascii():
            lines.append(match[0][:SAMPLE_BYTES])
            size += len(lines[-1])
            if size >= SAMPLE_BYTES:
                break
    return b"".join(lines)[:SAMPLE_BYTES]
