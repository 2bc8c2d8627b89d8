"""Understanding a question: what is typed and what was said before become one Query."""
