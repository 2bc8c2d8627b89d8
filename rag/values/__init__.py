"""The values that stages hand to each other: below all stages, so that none depends on another."""
