"""What decides a result besides the question: code, packages, papers; as hashes of content, so names do not matter."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rag.types import Paper

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "readback",
    "bm25s",
    "chromadb",
    "llama-index-core",
    "llama-index-vector-stores-chroma",
    "numpy",
    "onnxruntime",
    "openai",
    "scipy",
    "tiktoken",
)


def digest(*parts: str) -> str:
    """One hash over some texts; where one ends and the next begins counts."""
    return sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


@cache
def files_hash(folder: Path, suffixes: tuple[str, ...] = (".py", ".json")) -> str:
    """Hash over the names and bytes of the files under a folder. Read once a process: it is the code that runs."""
    found = sorted(path for path in folder.rglob("*") if path.suffix in suffixes and "__pycache__" not in path.parts)
    parts = [
        part for path in found for part in (path.relative_to(folder).as_posix(), sha256(path.read_bytes()).hexdigest())
    ]
    return digest(*parts)


def code_version() -> str:
    """Hash of all of Readback's own code and fitted numbers, ``rag/**``."""
    return files_hash(ROOT / "rag")


def measures_version() -> str:
    """Hash of the code that scores answers; scores of two versions must not be compared."""
    here = Path(__file__).parent
    return digest(
        files_hash(here / "metrics"),
        *((here / name).read_text("utf-8") for name in ("graded.py", "measures.py", "gold.py")),
    )


def corpus_hash(papers: Iterable[Paper]) -> str:
    """Hash of the papers, whatever their order."""
    return digest(*sorted(f"{paper.id} {paper.fingerprint}" for paper in papers))


def commit() -> str | None:
    """The commit that is checked out, with "+" if files differ from it; None outside of a repository."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None
    return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def versions() -> dict[str, str]:
    """Versions of Python, of the machine's kind and of the packages that can change a result."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git(*arguments: str) -> str | None:
    command: Sequence[str] = ("git", "-C", str(ROOT), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
