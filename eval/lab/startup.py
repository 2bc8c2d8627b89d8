"""How long people wait: a cold ``readback ask``, warm answers, ``readback --help``, beside bare Python.

    python -m eval.lab.startup

Cold means a new process with an index that is there; files may be in the operating system's cache.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

RUNS = 5
QUESTIONS = 60
QUESTION = "How can a voice assistant learn query rewrites without annotated data?"


def main() -> None:
    """Measure and print one table."""
    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("READBACK_", "OPENAI_"))}
        env["READBACK_DATA_DIR"] = folder
        readback = [sys.executable, "-c", "from ui.cli import main; main()"]
        _run([*readback, "index"], env)
        rows = [
            ("python -c pass", _seconds(lambda: _run([sys.executable, "-c", "pass"], env))),
            ("python -c 'import gradio'", _seconds(lambda: _run([sys.executable, "-c", "import gradio"], env))),
            ("readback --help", _seconds(lambda: _run([*readback, "--help"], env))),
            ("readback ask, cold", _seconds(lambda: _run([*readback, "ask", QUESTION], env))),
        ]
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; median of {RUNS} runs, seconds")
        for name, times in rows:
            print(f"{name:<28}{statistics.median(times):8.2f}   ({min(times):.2f} to {max(times):.2f})")
        warm = warm_answers(Path(folder))
    print(
        f"warm answers, {len(warm)} questions: {len(warm) / sum(warm):.1f} a second, median "
        f"{1000 * statistics.median(warm):.0f} ms, p95 {1000 * statistics.quantiles(warm, n=20)[-1]:.0f} ms, "
        f"slowest {1000 * max(warm):.0f} ms"
    )


def warm_answers(data_dir: Path) -> list[float]:
    """Seconds for each of the gold questions, asked one after another of an assistant that has answered before."""
    from eval.gold import load_gold
    from rag.engine import Assistant
    from rag.settings import Settings

    gold = load_gold()
    asked = [one.standalone for one in gold[:: max(1, len(gold) // QUESTIONS)]][:QUESTIONS]
    times = []
    with Assistant.open(Settings(data_dir=data_dir, openai_api_key=None, openai_base_url=None)) as assistant:
        assistant.ask(QUESTION)
        for question in asked:
            start = time.perf_counter()
            assistant.ask(question)
            times.append(time.perf_counter() - start)
    return times


def _seconds(work: Callable[[], None]) -> list[float]:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def _run(command: Sequence[str], env: dict[str, str]) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")


if __name__ == "__main__":
    main()
