"""Fitting the default policy: every number that decides an answer, learned on development questions."""
