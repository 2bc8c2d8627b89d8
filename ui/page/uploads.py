"""Files from the browser into the collection, with progress while it happens and a report at the end."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from rag.errors import ReadbackError
from ui.page import arguments
from ui.page.arguments import BadRequest
from ui.page.background import News, in_background
from ui.render import render
from ui.services.papers import UploadFault

if TYPE_CHECKING:
    from ui.services import Asker, Services
    from ui.services.papers import UploadReport

log = logging.getLogger(__name__)
CRASHED = "Something went wrong on our side. Nothing was added: please try again."


class Uploads:
    """Reads a file that the browser has left with Gradio, then deletes it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def stream(self, given: Mapping[str, Any], asker: Asker) -> Iterator[str]:
        """Yield how far it has come, and at last a report with ``done``. Raises BadRequest."""
        state: dict[str, Any] = {"upload": arguments.token(given, "upload")}
        name = arguments.text(given, "name", 300) or "file"
        try:
            path = taken(arguments.text(given, "path", 4_000))
            for update in self._indexed(name, path, asker):
                yield json.dumps({**state, **update})
        except ReadbackError as error:
            yield json.dumps({**state, "html": _report(name, reason=str(error)), "failed": True, "done": True})
        except Exception:  # a bug; the reader must not wait for ever
            log.exception("an upload failed")
            yield json.dumps({**state, "html": _report(name, reason=CRASHED), "failed": True, "done": True})

    def _indexed(self, name: str, path: Path, asker: Asker) -> Iterator[dict[str, Any]]:
        yield {"progress": f"Reading {name}…"}

        def add(tell: Callable[[News], None]) -> None:
            done = 0

            def count_up(more: int) -> None:
                nonlocal done
                done += more
                if done:
                    tell({"progress": f"Indexing {name}: {done:,} papers done…"})

            try:
                with path.open("rb") as file:
                    report = self._services.papers.add(name, file, progress=count_up, who=asker.counted)
            finally:
                path.unlink(missing_ok=True)
            tell({"html": _report_of(report), "done": True, "changed": report.added + report.changed > 0})

        yield from in_background("readback-upload", add)


def taken(path: str) -> Path:
    """Where an uploaded file is. Raises BadRequest for a file that no upload has left there."""
    from gradio.utils import get_upload_folder

    folder = Path(get_upload_folder()).resolve()
    file = Path(path).resolve()
    if not path or not file.is_relative_to(folder) or not file.is_file():
        raise BadRequest("The file did not arrive: please try again.")
    return file


def _report_of(done: UploadReport) -> Markup:
    sums = [(done.added, "added"), (done.changed, "updated"), (done.unchanged, "already there")]
    told = [f"{number:,} {word}" for number, word in [*sums, (done.merged, "twice in the file")] if number]
    return render("upload", file=done.file, sums=told, faults=done.faults)


def _report(name: str, reason: str) -> Markup:
    return render("upload", file=name, sums=[], faults=[UploadFault(None, reason)])
