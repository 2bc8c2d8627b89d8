"""A conversation as a tree: asking a turn again adds a version of it, and what followed the others stays with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rag.events.records import Episode


def parents(episodes: Sequence[Episode]) -> dict[str, str | None]:
    """Answer id → id of the answer that it followed. episodes: of one conversation, by position.

    Where the record does not say it, a turn follows the newest turn before it.
    """
    newest: dict[int, str] = {}
    found: dict[str, str | None] = {}
    for episode in episodes:
        one = episode.interaction
        turn = one.turn or 1
        found[one.id] = one.parent or newest.get(turn - 1)
        newest[turn] = one.id
    return found


def path(episodes: Sequence[Episode], current: str | None) -> tuple[Episode, ...]:
    """The turns from the first to the current one, and on along the newest versions. None: the newest of all."""
    if not episodes:
        return ()
    up, by_id = parents(episodes), {one.interaction.id: one for one in episodes}
    children = versions(up)
    at: str | None = current if current in by_id else episodes[-1].interaction.id
    turns: list[str] = []
    while at in by_id and at not in turns:
        turns.append(at)
        at = up[at]
    turns.reverse()
    while following := children.get(turns[-1]):
        turns.append(following[-1])
    return tuple(by_id[one] for one in turns)


def versions(parents: Mapping[str, str | None]) -> dict[str | None, tuple[str, ...]]:
    """Id of an answer, or None for the beginning → the versions of the turn that follows it, oldest first."""
    found: defaultdict[str | None, list[str]] = defaultdict(list)
    for answer, parent in parents.items():
        found[parent].append(answer)
    return {parent: tuple(answers) for parent, answers in found.items()}
