"""What Prometheus reads: counts and latencies of everything asked through one Services object."""

from __future__ import annotations

from rag.events.records import Feedback, Health, Source
from rag.types import Answer

STAGES = ("rewrite", "retrieve", "rerank", "answer", "verify", "total")


class Metrics:
    """Counters of one process; each has its own registry, so several can live side by side."""

    def __init__(self) -> None:
        """All counts start at zero."""
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = registry = CollectorRegistry()
        self._answers = Counter(
            "readback_answers", "Answers by face, mode and outcome", ["source", "mode", "outcome"], registry=registry
        )
        self._failures = Counter("readback_failures", "Questions that ended in an error", ["source"], registry=registry)
        self._seconds = Histogram(
            "readback_stage_seconds",
            "Time spent on an answer, by stage",
            ["stage"],
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
        )
        self._feedback = Counter(
            "readback_feedback", "Feedback by kind and choice", ["kind", "value"], registry=registry
        )
        self._tokens = Counter("readback_tokens", "Tokens by direction", ["direction"], registry=registry)
        self._cost = Counter("readback_cost_usd", "Estimated price of the tokens, where known", registry=registry)
        self._requests = Counter(
            "readback_http_requests",
            "HTTP requests by area, method and status",
            ["area", "method", "status"],
            registry=registry,
        )

        self._record = Gauge("readback_record", "Interactions by what became of them", ["state"], registry=registry)
        self._losing = Gauge("readback_record_failing", "1 while answers cannot be recorded", registry=registry)

    def answered(self, answer: Answer, source: Source) -> None:
        """Count a finished answer."""
        self._answers.labels(source, answer.mode, "abstained" if answer.abstained else "answered").inc()
        for stage in STAGES:
            if stage in answer.timings_ms:
                self._seconds.labels(stage).observe(answer.timings_ms[stage] / 1000)
        self._tokens.labels("prompt").inc(answer.usage.prompt_tokens)
        self._tokens.labels("completion").inc(answer.usage.completion_tokens)
        self._cost.inc(answer.usage.cost_usd or 0.0)

    def stopped(self, answer: Answer, source: Source) -> None:
        """Count an answer whose reader wanted no more of it."""
        self._answers.labels(source, answer.mode, "stopped").inc()

    def failed(self, source: Source) -> None:
        """Count a question that ended in an error."""
        self._failures.labels(source).inc()

    def feedback(self, feedback: Feedback) -> None:
        """Count feedback, by choice where its kind offers a few; words of people never become labels."""
        from rag.events.feedback import RULES

        choice = str(feedback.value) if RULES[feedback.kind].choices else ""
        self._feedback.labels(feedback.kind, choice).inc()

    def requested(self, area: str, method: str, status: int) -> None:
        """Count an HTTP request. area: one of a few names, never a path, which anybody can make up."""
        self._requests.labels(area, method, str(status)).inc()

    def text(self, record: Health | None = None) -> bytes:
        """The exposition format. record: how the record of events does."""
        from prometheus_client import generate_latest

        for state in ("queued", "written", "failed", "dropped"):
            self._record.labels(state).set(getattr(record, state, 0))
        self._losing.set(record is not None and record.trouble is not None)

        return generate_latest(self.registry)
