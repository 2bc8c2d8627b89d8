"""Measures: pure functions whose docstrings give range, definition and source."""
