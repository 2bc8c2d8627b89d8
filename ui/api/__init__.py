"""The HTTP API: OpenAI-compatible under /v1, Readback's own under /api, and what operators look at."""
