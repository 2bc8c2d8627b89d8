"""How good the answers are: gold questions, measures, statistics. Nothing here is needed to answer a question."""
