"""Numbered changes of the tables, applied in order by ``rag.events.migrate``."""
