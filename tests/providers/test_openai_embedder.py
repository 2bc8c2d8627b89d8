"""OpenAIEmbedder at the HTTP edge: batches, order, length, long texts, failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
import respx
from pydantic import SecretStr

from rag.embed.openai_embedder import OpenAIEmbedder
from rag.errors import ContextTooLong, ProviderBusy, ProviderError, ProviderRefused, SettingsError
from rag.ports import Embedder
from rag.settings import Settings
from tests.providers.conftest import KEY, URL, Naps

Make = Callable[..., OpenAIEmbedder]


def raw(text: str) -> list[float]:
    """The mocked server's vector of a text: not of unit length, and telling texts apart."""
    return [float(len(text)), float(text.count("a")), float(text.count("b")), 0.5]


def unit(text: str) -> np.ndarray:
    """What the embedder must make of it."""
    vector = np.array(raw(text))
    return np.asarray(vector / np.linalg.norm(vector))


def reply(vectors: Sequence[object], order: Sequence[int] | None = None) -> httpx.Response:
    """A reply with these vectors, in this order."""
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return httpx.Response(200, json={"object": "list", "data": [data[at] for at in order or range(len(data))]})


def embeds(request: httpx.Request) -> httpx.Response:
    """A good server, which answers in reverse order."""
    texts = json.loads(request.content)["input"]
    return reply([raw(text) for text in texts], range(len(texts))[::-1])


def sent(route: respx.Route) -> list[list[str]]:
    """The texts of each request."""
    return [json.loads(call.request.content)["input"] for call in route.calls]


def failing(embedder: Embedder) -> ProviderError:
    """The error of one request, which shows nothing that the server said behind our message."""
    with pytest.raises(ProviderError) as caught:
        embedder.embed(["text"], "document")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_sends_the_texts_and_restores_their_order(server: respx.MockRouter, make_embedder: Make) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    embedder: Embedder = make_embedder()
    vectors = embedder.embed(["a", "bb b", "ab a"], "document")
    assert json.loads(route.calls.last.request.content) == {
        "model": "test-embedder",
        "input": ["a", "bb b", "ab a"],
        "encoding_format": "float",
    }
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [unit("a"), unit("bb b"), unit("ab a")], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)


def test_batches_keep_to_both_budgets(server: respx.MockRouter, make_embedder: Make) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    texts = ["one"] * 3 + ["word " * 50] + ["one"] * 3
    embedder = make_embedder(batch_texts=2, batch_tokens=20)
    assert embedder.embed(texts, "document").shape == (7, 4)
    assert [len(batch) for batch in sent(route)] == [2, 1, 1, 2, 1]


def test_batches_arrive_one_by_one_and_survive_a_later_failure(server: respx.MockRouter, make_embedder: Make) -> None:
    def twice(request: httpx.Request) -> httpx.Response:
        return embeds(request) if route.call_count < 2 else httpx.Response(401)

    route = server.post("/embeddings").mock(side_effect=twice)
    kept: dict[int, np.ndarray] = {}
    texts = [f"text {'a' * number}" for number in range(6)]
    batches = make_embedder(batch_texts=2).embed_batches(texts, "document")
    assert not route.called
    for _ in range(2):
        positions, vectors = next(batches)
        kept |= dict(zip(positions, vectors, strict=True))
    with pytest.raises(ProviderRefused):
        next(batches)
    assert list(kept) == [0, 1, 2, 3]
    np.testing.assert_allclose(kept[3], unit(texts[3]), rtol=1e-5)


def test_no_texts_make_no_rows(server: respx.MockRouter, make_embedder: Make) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    assert make_embedder("text-embedding-3-small").embed([], "document").shape == (0, 1536)
    assert not route.called


def test_the_dimension_is_known_or_asked_for_once(server: respx.MockRouter, make_embedder: Make) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    assert make_embedder("text-embedding-3-large").dimension == 3072
    assert not route.called
    embedder = make_embedder()
    assert (embedder.dimension, embedder.dimension) == (4, 4)
    assert route.call_count == 1


def test_a_dimension_that_changes_is_an_error(server: respx.MockRouter, make_embedder: Make) -> None:
    server.post("/embeddings").mock(side_effect=[reply([[1.0, 2.0]]), reply([[1.0, 2.0, 3.0]])])
    embedder = make_embedder()
    embedder.embed(["text"], "document")
    assert "length 3 where 2 was expected" in str(failing(embedder))


def test_queries_and_documents_get_their_prefixes(server: respx.MockRouter, make_embedder: Make) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    for embedder in (make_embedder("nomic-embed-text:v1.5"), make_embedder(query_prefix="Q ", document_prefix="D ")):
        embedder.embed(["x"], "query")
        embedder.embed(["x"], "document")
    assert sent(route) == [["search_query: x"], ["search_document: x"], ["Q x"], ["D x"]]


def test_the_name_tells_all_that_decides_a_vector() -> None:
    embedders = [
        OpenAIEmbedder("text-embedding-3-small", SecretStr(KEY)),
        OpenAIEmbedder("text-embedding-3-large", SecretStr(KEY)),
        OpenAIEmbedder("text-embedding-3-small", SecretStr(KEY), URL),
        OpenAIEmbedder("text-embedding-3-small", SecretStr(KEY), window_tokens=100),
        OpenAIEmbedder("text-embedding-3-small", SecretStr(KEY), query_prefix="q: "),
        OpenAIEmbedder("text-embedding-3-small", SecretStr(KEY), document_prefix="q: "),
    ]
    names = [embedder.name for embedder in embedders]
    assert names[0] == "openai:text-embedding-3-small@api.openai.com"
    assert len(set(names)) == len(names)
    assert KEY not in "".join(names) + repr(embedders)
    same = OpenAIEmbedder("text-embedding-3-small", SecretStr("sk-another"), batch_texts=7, timeout_s=5)
    assert same.name == names[0]  # neither the key nor the batches change a vector


def test_settings_make_an_embedder(server: respx.MockRouter) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    settings = Settings(openai_api_key=SecretStr(KEY), openai_base_url=URL, embed_model="openai:bge-m3")
    OpenAIEmbedder.from_settings(settings, "bge-m3").embed(["x"], "query")
    assert json.loads(route.calls.last.request.content)["model"] == "bge-m3"
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        OpenAIEmbedder.from_settings(Settings(openai_api_key=None, openai_base_url=None), "bge-m3")


# long texts


def test_a_text_beyond_the_window_is_halved_and_averaged(server: respx.MockRouter, make_embedder: Make) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    text = "aa bb " * 40
    (vector,) = make_embedder(window_tokens=50, document_prefix="D: ").embed([text], "document")
    (parts,) = sent(route)
    assert len(parts) > 1
    assert "".join(part.removeprefix("D: ") for part in parts) == text  # nothing is lost or doubled
    expected = np.mean([unit(part) for part in parts], axis=0)
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=0.01)


def test_a_long_text_leaves_its_neighbours_alone(server: respx.MockRouter, make_embedder: Make) -> None:
    server.post("/embeddings").mock(side_effect=embeds)
    vectors = make_embedder(window_tokens=50).embed(["a", "word " * 200, "bbb"], "document")
    np.testing.assert_allclose(vectors[[0, 2]], [unit("a"), unit("bbb")], rtol=1e-5)


@pytest.mark.parametrize("text", ["a" * 4000, "模" * 900, " " * 5000, "word " * 3000])
def test_any_long_text_gets_a_vector_within_the_limits(
    server: respx.MockRouter, make_embedder: Make, text: str
) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    assert make_embedder(window_tokens=20, batch_texts=8).embed([text], "document").shape == (1, 4)
    assert max(len(batch) for batch in sent(route)) <= 8
    assert "".join(part for batch in sent(route) for part in batch) == text


def test_a_text_that_the_server_finds_too_long_is_halved(server: respx.MockRouter, make_embedder: Make) -> None:
    def small_window(request: httpx.Request) -> httpx.Response:
        if max(len(text) for text in json.loads(request.content)["input"]) > 60:
            return httpx.Response(500, json={"error": {"message": "input (90 tokens) is too large to process."}})
        return embeds(request)

    route = server.post("/embeddings").mock(side_effect=small_window)
    vectors = make_embedder().embed(["a", "aa bb " * 30], "document")
    np.testing.assert_allclose(vectors[0], unit("a"), rtol=1e-5)
    assert "".join(batch[0] for batch in sent(route)[1:] if len(batch[0]) <= 60) == "a" + "aa bb " * 30


def test_a_server_that_finds_everything_too_long_is_told_so(server: respx.MockRouter, make_embedder: Make) -> None:
    route = server.post("/embeddings").respond(400, json={"error": {"message": "maximum context length is 0"}})
    with pytest.raises(ContextTooLong, match="lower READBACK_CHUNK_TOKENS"):
        make_embedder().embed(["word " * 20], "document")
    assert route.call_count < 10


def test_empty_and_broken_text_is_sent_in_a_form_that_servers_take(
    server: respx.MockRouter, make_embedder: Make
) -> None:
    route = server.post("/embeddings").mock(side_effect=embeds)
    make_embedder().embed(["", "a\ud800b"], "document")
    assert sent(route) == [[" ", "a?b"]]


# failures


@pytest.mark.parametrize(
    "failure",
    [httpx.Response(429), httpx.Response(500), httpx.Response(503), httpx.ReadTimeout("late"), httpx.ReadError("gone")],
)
def test_a_short_trouble_is_waited_out(
    server: respx.MockRouter, make_embedder: Make, naps: Naps, failure: httpx.Response | Exception
) -> None:
    server.post("/embeddings").mock(side_effect=[failure, failure, reply([raw("x")])])
    assert make_embedder(retries=2).embed(["x"], "document").shape == (1, 4)
    assert len(naps) == 2


def test_tries_are_bounded_and_heed_retry_after(server: respx.MockRouter, make_embedder: Make, naps: Naps) -> None:
    route = server.post("/embeddings").respond(429, headers={"retry-after": "3"})
    error = failing(make_embedder(retries=4))
    assert isinstance(error, ProviderBusy)
    assert "The embedding model is busy" in str(error)
    assert naps == [3.0] * 4
    assert route.call_count == 5


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "OPENAI_API_KEY was refused"), (404, "READBACK_EMBED_MODEL"), (400, "refused the request")],
)
def test_a_refusal_is_final(server: respx.MockRouter, make_embedder: Make, status: int, words: str) -> None:
    route = server.post("/embeddings").respond(status, json={"error": {"message": f"no model {KEY}"}})
    error = failing(make_embedder())
    assert isinstance(error, ProviderRefused)
    assert words in str(error)
    assert KEY not in str(error)
    assert route.call_count == 1


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, html="<html>Welcome</html>"),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, text="{", headers={"content-type": "application/json"}),
        httpx.Response(200, json={"data": []}),
        httpx.Response(200, json={"data": [5]}),
        httpx.Response(200, json={"data": [{"index": 0}]}),
        httpx.Response(200, json={"data": [{"index": 1, "embedding": [1.0]}]}),
        httpx.Response(200, json={"data": [{"index": [], "embedding": [1.0]}]}),
        reply(["text"]),
        reply([[]]),
        reply([1.0]),
        reply([[0.0, 0.0]]),
        reply([[1.0, 1e300]]),
        reply([[1.0, "x"]]),
        reply([[[1.0], [2.0]]]),
        reply([[1.0], [2.0]]),
    ],
)
def test_nonsense_says_nothing_usable(server: respx.MockRouter, make_embedder: Make, response: httpx.Response) -> None:
    server.post("/embeddings").mock(return_value=response)
    error = failing(make_embedder())
    assert isinstance(error, ProviderRefused)
    assert "sent nothing usable" in str(error)


def test_one_embedder_serves_many_threads(server: respx.MockRouter, make_embedder: Make) -> None:
    server.post("/embeddings").mock(side_effect=embeds)
    embedder = make_embedder()

    def right(number: int) -> bool:
        text = "a" * number + "b"
        return bool(np.allclose(embedder.embed([text], "query")[0], unit(text)))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(60)))


def test_vectors_of_extreme_length_still_become_unit(server: respx.MockRouter, make_embedder: Make) -> None:
    values: list[Any] = [[1e38, 1e38], [1e-38, 0.0]]
    server.post("/embeddings").mock(return_value=reply(values))
    vectors = make_embedder().embed(["x", "y"], "document")
    np.testing.assert_allclose(vectors, [[0.5**0.5, 0.5**0.5], [1, 0]], rtol=1e-6)
