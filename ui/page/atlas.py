"""A map of the collection: papers that say similar things lie close together, in clusters with names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
FEWEST = 8  # papers from which clusters make sense
MOST_CLUSTERS = 9  # as many colours as people keep apart
LABEL_TERMS = 2
SAME_PLACE = 1e-6  # difference in every dimension below which papers are all alike
COMMON = 0.35  # share of the papers from which a term names no topic among them
PAIR = 1.5  # what two words say more than one
TITLE = 6.0  # what a title says more than an abstract
NEIGHBOURS = 30  # t-SNE's perplexity: how many papers count as near
GROWN = 0.5  # share of new papers beside known ones from which a map is laid out anew
LEAST = 1e-6  # weight of a neighbour that is none
BESIDE = 3  # papers on the map among which a new one is put
APART = 0.012  # how far from their middle, so that new papers with the same neighbours do not cover each other


@dataclass(frozen=True, slots=True)
class Point:
    """One paper on the map."""

    paper: int  # its place among those given
    x: float  # in [0, 1]
    y: float
    cluster: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of papers that say similar things."""

    label: str
    x: float  # its middle
    y: float
    size: int


@dataclass(frozen=True, slots=True)
class Atlas:
    """The whole map. clusters[point.cluster] is where a point belongs; biggest cluster first."""

    points: tuple[Point, ...]
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where papers are on a map, so that they stay there when others come."""

    places: Mapping[str, tuple[float, float, int]]  # paper id → x, y and cluster
    labels: tuple[str, ...]  # of the clusters

    @classmethod
    def of(cls, atlas: Atlas, ids: Sequence[str]) -> Layout:
        """ids: of the papers that the atlas was drawn from."""
        places = {ids[one.paper]: (one.x, one.y, one.cluster) for one in atlas.points}
        return cls(places, tuple(one.label for one in atlas.clusters))


def extended(layout: Layout, ids: Sequence[str], vectors: Vectors) -> Atlas | None:
    """The map with every known paper where it was, and each new one among the known ones most like it.

    ids: of all papers; vectors: their rows of unit length. None if too few are known for that.
    """
    known = np.array([one in layout.places for one in ids], dtype=np.bool_)
    if known.sum() < FEWEST or (~known).sum() > GROWN * known.sum():
        return None
    kept = [layout.places[one] for one in ids if one in layout.places]
    place, cluster = np.zeros((len(ids), 2), dtype=np.float32), np.zeros(len(ids), dtype=np.int64)
    place[known], cluster[known] = [(x, y) for x, y, _ in kept], [number for *_, number in kept]
    likeness = vectors[~known] @ vectors[known].T
    for row, alike in zip(np.flatnonzero(~known), likeness, strict=True):
        nearest = np.argsort(-alike, kind="stable")[:BESIDE]
        weights = np.maximum(alike[nearest], LEAST)
        aside = APART * np.array([np.cos(2.4 * row), np.sin(2.4 * row)])  # 2.4: the golden angle spreads them evenly
        place[row] = np.clip(np.average(place[known][nearest], axis=0, weights=weights) + aside, 0, 1)
        cluster[row] = cluster[known][nearest[0]]
    there, cluster = np.unique(cluster, return_inverse=True)
    return _atlas(place, cluster, [layout.labels[number] for number in there])


def draw(vectors: Vectors, titles: Sequence[str], abstracts: Sequence[str]) -> Atlas:
    """Lay papers out on a plane, cluster them and name the clusters. The same papers always give the same map.

    vectors: one row of unit length for each paper.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len(titles) == 0:
        return Atlas((), ())
    with threadpool_limits(1):  # many threads on so little work wait for each other: ten times slower on a busy machine
        place = _placed(vectors)
        cluster = _clustered(place)
        labels = _named(titles, abstracts, cluster)
    return _atlas(place, cluster, labels)


def _atlas(place: Vectors, cluster: NDArray[np.int64], labels: Sequence[str]) -> Atlas:
    middles = [np.median(place[cluster == number], axis=0) for number in range(len(labels))]
    clusters = tuple(
        Cluster(label, float(x), float(y), int(size))
        for label, (x, y), size in zip(labels, middles, np.bincount(cluster), strict=True)
    )
    points = tuple(
        Point(row, float(x), float(y), int(number))
        for row, ((x, y), number) in enumerate(zip(place, cluster, strict=True))
    )
    return Atlas(points, clusters)


def _placed(vectors: Vectors) -> Vectors:
    """Two coordinates in [0, 1] for each row."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(vectors)
    if count < 3 or np.ptp(vectors, axis=0).max() < SAME_PLACE:  # nothing to tell them apart: on a ring, in their order
        turn = 2 * np.pi * np.arange(count) / max(count, 1)
        return np.column_stack([0.5 + 0.4 * np.sin(turn), 0.5 - 0.4 * np.cos(turn)]).astype(np.float32)
    if count < FEWEST:
        flat = PCA(2, random_state=0).fit_transform(vectors)
    else:
        perplexity = min(NEIGHBOURS, (count - 1) / 3)
        flat = TSNE(2, perplexity=perplexity, metric="cosine", init="pca", random_state=0).fit_transform(vectors)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scaled: Vectors = ((flat - low) / np.where(high > low, high - low, 1)).astype(np.float32)
    return scaled


def _clustered(place: Vectors) -> NDArray[np.int64]:
    """The cluster of each place, 0 being the biggest: as many as separate best.

    Neighbours on the map are clustered, not vectors in space, so that what the eye sees as a group has one colour.
    """
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import silhouette_score

    best, best_fit = np.zeros(len(place), dtype=np.int64), -np.inf
    if len(place) >= FEWEST:
        for wanted in range(2, min(MOST_CLUSTERS, len(place) // 4) + 1):
            found = AgglomerativeClustering(wanted, linkage="ward").fit_predict(place)
            # more groups tell a reader more, so they win unless they fit clearly worse
            fit = float(silhouette_score(place, found)) + 0.02 * wanted
            if fit > best_fit:
                best, best_fit = found, fit
    order = np.argsort(-np.bincount(best), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return np.asarray(rank[best], dtype=np.int64)


def _named(titles: Sequence[str], abstracts: Sequence[str], cluster: NDArray[np.int64]) -> list[str]:
    """A name for each cluster: the terms that many of its papers use and few others do."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    clusters = range(int(cluster.max()) + 1)
    texts = [f"{title}.\n{abstract}" for title, abstract in zip(titles, abstracts, strict=True)]
    most = COMMON if len(clusters) > 1 else 1.0
    counter = CountVectorizer(
        ngram_range=(1, 2),
        stop_words=sorted(ENGLISH_STOP_WORDS),
        token_pattern=r"(?u)\b[^\W\d][\w-]+\b",
        binary=True,
        max_df=most,
        max_features=20_000,
    )
    try:
        in_text = counter.fit_transform(texts)
    except ValueError:  # not a single word that says anything
        return [f"Group {number + 1}" for number in clusters]
    in_title = counter.transform(titles)
    terms = counter.get_feature_names_out()
    weight = np.array([PAIR if " " in term else 1.0 for term in terms])
    labels = []
    for number in clusters:
        inside = cluster == number
        least = 2 if inside.sum() > 3 else 1
        said = np.asarray(in_text[inside].sum(axis=0)).ravel() >= least
        score = weight * said * (_telling(in_text, inside) + TITLE * _telling(in_title, inside))
        best = [str(terms[place]) for place in np.argsort(-score, kind="stable")[:30] if score[place] > 0]
        label = ", ".join(_as_written(term, texts, inside) for term in _distinct(best))
        labels.append(label[:1].upper() + label[1:] or f"Group {number + 1}")
    return labels


def _telling(present: Any, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How well each term tells papers inside from others: its share inside, times how much rarer it is outside."""
    here = np.asarray(present[inside].mean(axis=0)).ravel()
    there = np.asarray(present[~inside].mean(axis=0)).ravel() if (~inside).any() else np.zeros_like(here)
    return np.asarray(here * np.log((here + 0.03) / (there + 0.03)), dtype=np.float64)


def _distinct(terms: Sequence[str]) -> list[str]:
    """The first few terms that share no word, singular and plural being one."""
    chosen: list[str] = []
    used: set[str] = set()
    for term in terms:
        words = {word.rstrip("s") for word in re.split(r"[ -]", term)}
        if words & used:
            continue
        chosen.append(term)
        used |= words
        if len(chosen) == LABEL_TERMS:
            break
    return chosen


def _as_written(term: str, texts: Sequence[str], inside: NDArray[np.bool_]) -> str:
    """The term in the case in which the papers write it: LLM stays, but not every capital of a title."""
    pattern = re.compile(r"\b" + r"\s+".join(map(re.escape, term.split())) + r"\b", re.IGNORECASE)
    seen: dict[str, int] = {}
    for text, counts in zip(texts, inside, strict=True):
        for found in pattern.findall(text) if counts else ():
            words = (word if any(char.isupper() for char in word[1:]) else word.lower() for word in found.split())
            form = " ".join(words)
            seen[form] = seen.get(form, 0) + 1
    return max(sorted(seen), key=lambda form: seen[form]) if seen else term
