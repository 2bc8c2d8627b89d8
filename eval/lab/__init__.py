"""Experiments on top of the core: benchmarks, public datasets, judges, labels, blame, load. The core imports none."""
