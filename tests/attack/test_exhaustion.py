"""Many requests, endless ones, and what they ask for: time and memory stay bounded, and others go on asking."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.lab.health import watched
from eval.lab.serving import Server
from tests.attack import exhaustion
from tests.attack.attacks import Attack, each
from tests.attack.conftest import Tally, Target


@pytest.fixture(scope="module")
def worn(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a user, a model that does what an attack wants, and little patience."""
    folder = tmp_path_factory.mktemp("worn")
    shutil.copytree(data_dir, folder / "data")
    with exhaustion.model_server() as model:
        variables = {**exhaustion.VARIABLES, "OPENAI_BASE_URL": model}
        with Server(folder, page=False, variables=variables, before=exhaustion.BEFORE) as server:
            server.start()
            yield server


@each("exhaustion")
def test_a_server_is_not_worn_out(attack: Attack, worn: Server, tally: Tally) -> None:
    target = Target(int(worn.address.rpartition(":")[2]))
    before = worn.memory_mb() or 0.0
    with watched(worn.address) as looks, exhaustion.others_asking(target) as complaints:
        faults = getattr(exhaustion, attack["kind"])(target, attack["count"])
    tally.looks[attack["kind"]] = looks
    grown = (worn.memory_mb() or 0.0) - before
    if grown > exhaustion.MEMORY_MB:
        faults = [*faults, f"{grown:.0f} MB more memory"]
    held = tally(attack, not faults and not complaints and target.alive())
    assert held, (faults[:5], complaints[:5])
