"""``readback index``."""

from __future__ import annotations

from pathlib import Path

import click

from rag.errors import CorpusError
from rag.settings import Settings, shipped_corpus
from ui.cli.progress import papers_bar


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Remove papers that are not in the files.")
@click.option("--rebuild", is_flag=True, help="Embed everything anew, as after a change of the embedding model.")
@click.option("--skip-bad", is_flag=True, help="Leave out records that cannot be read, and say how many.")
def index(files: tuple[Path, ...], prune: bool, rebuild: bool, skip_bad: bool) -> None:
    """Bring the index up to date with FILES: listings, JSONL, CSV, BibTeX, RIS, arXiv JSONL or MEDLINE.

    Only what is new or changed is embedded. Without FILES, the files of the last run are read again; the first time,
    the shipped papers are.
    """
    from rag.corpus import read_all
    from rag.embed import open_embedder
    from rag.index import Index

    settings = Settings.load()
    target = Index(settings, open_embedder(settings))
    sources = [path.resolve() for path in files] or [Path(source) for source in target.sources()]
    if not sources and not target.catalog.fingerprints():
        sources = [shipped_corpus()]
    collection = read_all(sources, skip_bad=skip_bad)
    if prune and not collection.papers:
        raise CorpusError(
            "the files",
            None,
            "no paper could be read from them, so --prune would remove everything; nothing was changed",
        )
    for fault in collection.faults:
        click.echo(f"Skipped: {fault}", err=True)
    total = len(collection.papers)
    with papers_bar("Indexing", None if rebuild else total) as progress:
        report = target.update(
            collection.papers, prune=prune, rebuild=rebuild, sources=[str(path) for path in sources], progress=progress
        )
    target.vectors.close()
    skipped = f", {len(collection.faults)} records skipped" if collection.faults else ""
    counts = f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed"
    click.echo(f"{counts}{skipped}. The collection holds {report.total} papers.")
