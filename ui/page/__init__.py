"""The chat page: questions on the left, the evidence that can be checked on the right, and the collection behind it."""

from ui.page.blocks import build_page, look

__all__ = ["build_page", "look"]
