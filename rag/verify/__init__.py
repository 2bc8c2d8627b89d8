"""Verification: is what a model wrote said by the abstracts that it was shown?"""

from rag.verify.values import Kind, Source, State, Verdict, Verifier
from rag.verify.verifier import EvidenceVerifier

__all__ = ["EvidenceVerifier", "Kind", "Source", "State", "Verdict", "Verifier"]
