"""From what people did to a better policy: events → signals → learners → gate → ledger.

Nothing here is used while a question is answered; what is learned takes effect through a new ``Policy`` alone.
"""
