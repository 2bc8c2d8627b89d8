"""The outside world's names for papers, written in one way so that a paper has one id in every format."""

from __future__ import annotations

import re

_ARXIV = re.compile(r"(?:arxiv:)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?", re.IGNORECASE)
_ARXIV_URL = re.compile(r"https?://(?:www\.)?arxiv\.org/(?:abs|pdf)/", re.IGNORECASE)
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.", re.IGNORECASE)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_PMID = re.compile(r"(?:pmid:?\s*)?(\d{1,9})", re.IGNORECASE)


def arxiv_id(text: str | None) -> str | None:
    """``arXiv:0704.0001`` for an arXiv number or address of any style, without its version; None for anything else."""
    text = re.sub(r"\.pdf$", "", _ARXIV_URL.sub("", (text or "").strip()))
    match = _ARXIV.fullmatch(text)
    return f"arXiv:{match[1]}" if match else None


def doi_id(text: str | None) -> str | None:
    """``doi:10.…`` in lower case (DOIs ignore case); arXiv's own DOIs give the arXiv id. None for anything else."""
    match = _DOI.fullmatch((text or "").strip())
    if match is None:
        return None
    doi = match[1].rstrip(".,;")
    return arxiv_id(_ARXIV_DOI.sub("", doi)) if _ARXIV_DOI.match(doi) else f"doi:{doi.lower()}"


def pmid_id(text: str | None) -> str | None:
    """``PMID:123``; None for anything that is no PubMed number."""
    match = _PMID.fullmatch((text or "").strip())
    return f"PMID:{int(match[1])}" if match else None


def address(paper_id: str | None) -> str | None:
    """The web page of a paper with one of the ids above; None for other ids."""
    kind, _, rest = (paper_id or "").partition(":")
    if not rest or re.search(r"[\s\"'<>]", rest):
        return None
    pages = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/", "PMID": "https://pubmed.ncbi.nlm.nih.gov/"}
    prefix = pages.get(kind)
    if prefix is None:
        return None
    return f"{prefix}{rest}/" if kind == "PMID" else f"{prefix}{rest}"
