"""What another process does to a record of events: ``python -m tests.events.child WHAT WHERE NAME COUNT``.

Prints READY, waits for a line on stdin, does its work, and prints the id of each event that was acknowledged.
"""

from __future__ import annotations

import sys

from rag.events import EventStore

from .samples import an_answer


def main(what: str, where: str, name: str, count: int) -> None:
    """what: "open" only opens and closes; "write" records and judges; "judge" judges one answer again and again."""
    print("READY", flush=True)
    sys.stdin.readline()
    with EventStore.open(where) as store:
        if what == "judge":
            store.record(an_answer(name), user=name, source="page")
        for number in range(0 if what == "open" else count):
            id = name if what == "judge" else f"{name}-{number}"
            if what == "write":
                store.record(an_answer(id), user=name, source="api", conversation=name, turn=number + 1)
            print(store.feedback(id, user=name, kind="dwell", value=number).id, flush=True)
        if not store.health().ok:
            sys.exit(f"lost: {store.health()}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
