"""The map's layout in the data folder, so that papers stay in their places over restarts."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.page.atlas import Layout

log = logging.getLogger(__name__)
FILE = "map.json"


class LayoutFile:
    """One small file, and a copy in memory. It can be lost at any time: then the map is laid out anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._kept: Layout | None = None

    def read(self) -> Layout | None:
        """The last layout; None if there is none, or none that makes sense."""
        from ui.page.atlas import Layout

        if self._kept is None and self._path.exists():
            try:
                found = json.loads(self._path.read_text("utf-8"))
                labels = tuple(str(one) for one in found["labels"])
                places = {one: (float(x), float(y), int(c)) for one, (x, y, c) in found["places"].items()}
                if all(0 <= x <= 1 and 0 <= y <= 1 and 0 <= c < len(labels) for x, y, c in places.values()):
                    self._kept = Layout(places, labels)
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("%s cannot be read, so the map is laid out anew: %s", self._path, error)
        return self._kept

    def write(self, layout: Layout) -> None:
        """Keep it. Where the disk is full or read-only, it is kept in memory alone."""
        if layout == self._kept:
            return
        self._kept = layout
        fresh = self._path.with_name(f"{FILE}.{threading.get_ident()}")
        try:
            fresh.write_text(json.dumps(asdict(layout)), "utf-8")
            fresh.replace(self._path)
        except OSError as error:
            log.warning("the map's layout cannot be kept: %s", error)
            fresh.unlink(missing_ok=True)
