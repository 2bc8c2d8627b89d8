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
    by_id = {one.interaction.id: one for one in episodes}
    children = versions(parents(episodes))
    turns = list(ancestors(episodes, current) or ancestors(episodes, episodes[-1].interaction.id))
    while following := children.get(turns[-1].interaction.id):
        turns.append(by_id[following[-1]])
    return tuple(turns)


def ancestors(episodes: Sequence[Episode], answer: str | None) -> tuple[Episode, ...]:
    """The turns from the first to this answer; none for None, or if it is not there."""
    up, by_id = parents(episodes), {one.interaction.id: one for one in episodes}
    found: list[Episode] = []
    while answer in by_id and by_id[answer] not in found:
        found.append(by_id[answer])
        answer = up[answer]
    return tuple(reversed(found))


def versions(parents: Mapping[str, str | None]) -> dict[str | None, tuple[str, ...]]:
    """Id of an answer, or None for the beginning → the versions of the turn that follows it, oldest first."""
    found: defaultdict[str | None, list[str]] = defaultdict(list)
    for answer, parent in parents.items():
        found[parent].append(answer)
    return {parent: tuple(answers) for parent, answers in found.items()}
