"""Model folders: opening their files for onnxruntime, with errors that name the setting and the file."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path
from typing import Any

from rag.errors import SettingsError


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error


def open_session(path: Path) -> Any:
    """One text at a time on one thread. Raises SettingsError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # parallel over texts instead: same numbers, and many askers share the cores
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base class
        raise SettingsError(f"{path} is not a model that onnxruntime can load: {error}") from error


def open_tokenizer(path: Path) -> Any:
    """A tokenizer that cuts nothing off. Raises SettingsError."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception
        raise SettingsError(f"{path} is not a tokenizer file: {error}") from error
    tokenizer.no_truncation()  # files often ask for 128, which would cut text off silently
    tokenizer.no_padding()
    return tokenizer
