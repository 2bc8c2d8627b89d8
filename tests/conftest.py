"""For all tests: the network is closed but for this machine, and the environment says nothing to Readback."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["ANONYMIZED_TELEMETRY"] = "False"
_connect = socket.socket.connect
_getaddrinfo = socket.getaddrinfo
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None, b"localhost", b"127.0.0.1"}


# Files by their need, from the folder of tests; what is not listed is a unit test, which ``make check`` runs.
HERE = Path(__file__).parent
BROWSER = ("e2e/", "ui/api/test_login_page.py")
SERVER = (
    "attack/",
    "engine/test_local_model.py",
    "events/test_processes.py",
    "index/test_chroma_server.py",
    "index/test_processes.py",
    "providers/test_local_model.py",
    "ui/api/test_serve.py",
    "ui/test_faults.py",
    "ui/test_kill.py",
    "ui/test_leaving.py",
)
SLOW = (
    "cli/",
    "corpus/test_properties.py",
    "engine/test_contract.py",
    "engine/test_failures.py",
    "engine/test_intake.py",
    "engine/test_plain_questions.py",
    "engine/test_threads.py",
    "eval/test_baselines.py",
    "eval/test_benchmarks.py",
    "eval/test_blame.py",
    "eval/test_commands.py",
    "eval/test_fit.py",
    "eval/test_floors_hold.py",
    "eval/test_judge.py",
    "eval/test_ppi.py",
    "eval/test_report.py",
    "eval/test_run.py",
    "eval/test_stats.py",
    "index/",
    "learning/test_learn_command.py",
    "llamaindex/",
    "text/test_growth.py",
    "ui/",
    "verify/test_agreement.py",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where unit tests alone are wanted, the files of others are not even imported."""
    file = collection_path.relative_to(HERE).as_posix() if collection_path.is_relative_to(HERE) else ""
    return (config.option.markexpr == "unit" and file.startswith((*BROWSER, *SERVER, *SLOW))) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test by what it needs; one that says itself that it is slow stays so."""
    for item in items:
        file = item.path.relative_to(HERE).as_posix()
        if file.startswith(BROWSER):
            item.add_marker("browser")
        elif file.startswith(SERVER) or "[postgres" in item.name:
            item.add_marker("server")
        elif file.startswith(SLOW) or item.get_closest_marker("slow"):
            item.add_marker("slow")
        else:
            item.add_marker("unit")


class NetworkClosed(OSError):
    """A test tried to leave this machine."""


def _guarded_connect(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOCAL:
        raise NetworkClosed(f"the network is closed in tests: {address}")
    _connect(self, address)


def _guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    if host not in _LOCAL:
        raise socket.gaierror(f"the network is closed in tests: {host}")
    return _getaddrinfo(host, *args, **kwargs)


@pytest.fixture(autouse=True, scope="session")
def closed_network() -> Iterator[None]:
    """No test reaches another machine, however it tries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded_connect)
        patch.setattr(socket, "getaddrinfo", _guarded_getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person who runs the tests reaches them, and none of their data is touched."""
    for name in list(os.environ):
        if name.startswith(("READBACK_", "OPENAI_")) or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("READBACK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)  # no .env here
