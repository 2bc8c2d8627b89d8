"""Train the cross-encoder that comes with Readback, from the embedder's weights, on this machine's processors.

    pip install '.[train]'
    python -m eval.fit.reader --train FOLDER --bench FOLDER --examples 40000

FOLDERs hold the public sets that ``eval.fit.reading`` names. What is trained is a copy of the embedder (Wang et al.
2020, MiniLM) that reads question and excerpt as one text, with two outputs: whether the excerpt answers, from what the
question's words have become, and whether each sentence does, averaged over its word pieces. The result is written as
int8 ONNX beside its recipe. Everything that is fitted on top of it must be fitted again: ``make fit``.
"""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from eval.fit.reading import Example, examples
from rag.corpus import read
from rag.embed.cross_encoder import FOLDER, RECIPE, Recipe
from rag.embed.onnx import WEIGHTS, OnnxEmbedder
from rag.embed.onnx_files import digest
from rag.settings import shipped_corpus

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536
SHARES: Mapping[str, float] = MappingProxyType(  # of each set that an epoch takes: ours most often
    {
        "contrast": 1.5,
        "contrast-scifact-other": 0.6,
        "selqa": 0.4,
        "titles": 0.15,
        "covidqa": 0.7,
        "qed": 0.7,
        "scifact": 0.7,
        "squad-other": 0.7,
    }
)
BATCH = 4800  # word pieces, padding included
STEP = 32  # lengths are padded to multiples of it: each new shape costs the library time
RATE, HEAD_RATE = 1.2e-4, 1e-3
WARM_UP = 0.05  # share of the training in which the rates rise
SURE = 0.94  # of a label that an excerpt answers; some of those made by script are wrong
START, END, FULL_STOP = 101, 102, 1012  # word pieces


class Layer(nn.Module):  # type: ignore[misc]
    """One layer of BERT (Devlin et al. 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.attend, self.gather = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.attended = nn.LayerNorm(WIDTH, eps=1e-12)
        self.widen, self.narrow = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.done = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, states: Tensor, bias: Tensor, dropout: float) -> Tensor:
        """states: [texts, tokens, WIDTH]. bias: added to attention. Returns the next states."""
        texts, tokens, _ = states.shape
        heads = self.attend(states).view(texts, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2], attn_mask=bias)
        gathered = self.gather(seen.transpose(1, 2).reshape(texts, tokens, WIDTH))
        states = self.attended(states + functional.dropout(gathered, dropout, self.training))
        inner = self.narrow(functional.gelu(self.widen(states)))
        return torch.as_tensor(self.done(states + functional.dropout(inner, dropout, self.training)))


class Network(nn.Module):  # type: ignore[misc]
    """The embedder's layers with the two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places, self.types = (nn.Embedding(many, WIDTH) for many in (30522, 512, 2))
        self.embedded = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])
        self.relevance, self.inner, self.answer = nn.Linear(WIDTH, 1), nn.Linear(2 * WIDTH, 128), nn.Linear(128, 1)
        self.best_sentence = nn.Parameter(torch.tensor(0.3))
        for kept in (self.words, self.places):
            kept.weight.requires_grad_(False)  # too few examples to move what 30,000 words mean

    def forward(self, tokens: Tensor, types: Tensor, asked: Tensor, mask: Tensor, dropout: float) -> tuple[Tensor, ...]:
        """tokens, types, mask: [texts, tokens]. asked: 1.0 where the question stands.

        Returns logits that the excerpt answers, without its best sentence's part: [texts], and of each token.
        """
        places = torch.arange(tokens.shape[1])
        states = self.embedded(self.words(tokens) + self.places(places)[None] + self.types(types))
        bias = torch.zeros(mask.shape, dtype=states.dtype).masked_fill(mask == 0, -1e4)[:, None, None, :]
        if torch.is_autocast_enabled("cpu"):
            bias = bias.to(torch.bfloat16)
        for layer in self.layers:
            states = layer(states, bias, dropout)
        states = states.float()
        question = (states * asked[..., None]).sum(1) / asked.sum(1, keepdim=True)
        inner = functional.gelu(self.inner(torch.cat([states[:, 0], question], 1)))
        return self.answer(inner)[:, 0], self.relevance(states)[..., 0]


class Exported(nn.Module):  # type: ignore[misc]
    """The network as ``rag.embed.cross_encoder`` runs it: one pair at a time."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor, types: Tensor, asked: Tensor) -> Any:
        """See Network."""
        return self.network(tokens, types, asked, torch.ones_like(tokens), 0.0)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example in word pieces."""

    example: Example
    tokens: list[int]
    asked: int  # word pieces of the question
    spans: list[tuple[int, int]]  # of each sentence in tokens


def from_embedder(file: Path) -> Network:
    """A network whose layers are the int8 embedder's, in floating point."""
    model = onnx.load(str(file))
    parts = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    products = {
        node.name: node.input[1].removesuffix("_quantized")
        for node in model.graph.node
        if node.op_type == "MatMulInteger"
    }

    def whole(name: str) -> NDArray[np.float32]:
        steps = parts[f"{name}_quantized"].astype(np.float32) - parts[f"{name}_zero_point"].astype(np.float32)
        return np.asarray(steps * parts[f"{name}_scale"], dtype=np.float32)

    network, state = Network(), dict[str, NDArray[Any]]()
    for ours, theirs in (("words", "word"), ("places", "position"), ("types", "token_type")):
        state[f"{ours}.weight"] = whole(f"embeddings.{theirs}_embeddings.weight")
    state |= _norm("embedded", parts, "embeddings.LayerNorm")
    for at in range(LAYERS):
        node, name, ours = f"/encoder/layer.{at}", f"encoder.layer.{at}", f"layers.{at}"
        attention = [f"attention/self/{one}" for one in ("query", "key", "value")]
        for mine, many in (
            ("attend", attention),
            ("gather", ["attention/output/dense"]),
            ("widen", ["intermediate/dense"]),
            ("narrow", ["output/dense"]),
        ):
            matrices = [whole(products[f"{node}/{one}/MatMul_quant"]).T for one in many]
            state[f"{ours}.{mine}.weight"] = np.concatenate(matrices)
            biases = [parts[f"{name}.{one.replace('/', '.')}.bias"] for one in many]
            state[f"{ours}.{mine}.bias"] = np.concatenate(biases)
        state |= _norm(f"{ours}.attended", parts, f"{name}.attention.output.LayerNorm")
        state |= _norm(f"{ours}.done", parts, f"{name}.output.LayerNorm")
    network.load_state_dict({key: torch.tensor(value) for key, value in state.items()}, strict=False)
    return network


def _norm(ours: str, parts: Mapping[str, NDArray[Any]], theirs: str) -> dict[str, NDArray[Any]]:
    return {f"{ours}.{one}": parts[f"{theirs}.{one}"] for one in ("weight", "bias")}


def encode(example: Example, tokenizer: Tokenizer, recipe: Recipe) -> Encoded:
    """As ``rag.embed.cross_encoder`` does."""

    def pieces(text: str, most: int) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids[:most])

    asked = pieces(example.question, recipe.question_tokens)
    title = pieces(example.excerpt.title, recipe.title_tokens)
    tokens = [START, *asked, END, *title, *([FULL_STOP] if title else [])]
    spans = []
    for sentence in example.excerpt.sentences:
        start = len(tokens)
        tokens += pieces(sentence, recipe.sentence_tokens)
        spans.append((min(start, recipe.max_tokens - 1), min(len(tokens), recipe.max_tokens - 1)))
    return Encoded(example, [*tokens[: recipe.max_tokens - 1], END], len(asked), spans)


def loss_of(network: Network, batch: Sequence[Encoded]) -> Tensor:
    """Cross entropy of whether each excerpt answers, of each sentence, and of which sentence does."""
    length = -(-max(len(one.tokens) for one in batch) // STEP) * STEP
    sentences = max(len(one.spans) for one in batch)
    tokens = torch.zeros(len(batch), length, dtype=torch.long)
    types, mask, asked = torch.zeros_like(tokens), torch.zeros_like(tokens), torch.zeros(len(batch), length)
    spans, held = torch.zeros(len(batch), sentences, length), torch.zeros(len(batch), sentences)
    for row, one in enumerate(batch):
        size = len(one.tokens)
        tokens[row, :size], mask[row, :size] = torch.tensor(one.tokens), 1
        asked[row, 1 : one.asked + 1] = 1
        types[row, one.asked + 2 : size] = 1
        for place, (start, end) in enumerate(one.spans):
            spans[row, place, start:end] = 1 / max(end - start, 1)
        held[row, list(one.example.sentences or ())] = 1
    with torch.autocast("cpu", torch.bfloat16):
        answer, relevance = network(tokens, types, asked, mask, 0.1)
    there = spans.sum(2) > 0
    logits = torch.einsum("bst,bt->bs", spans, relevance).masked_fill(~there, -20.0)
    answer = answer + network.best_sentence * logits.max(1).values
    labels = torch.tensor([float(one.example.answers) for one in batch]) * SURE + (1 - SURE) / 2
    known = torch.tensor([float(one.example.sentences is not None) for one in batch])
    each = functional.binary_cross_entropy_with_logits(logits.clamp(min=-15), held, reduction="none")
    each = (each * there).sum(1) / there.sum(1).clamp(min=1)
    which = -torch.logsumexp(functional.log_softmax(logits, 1).masked_fill(held == 0, -1e4), 1) * (held.sum(1) > 0)
    whole = functional.binary_cross_entropy_with_logits(answer, labels, reduction="none")
    return torch.as_tensor((whole + known * (each + 0.5 * which)).mean())


def batches(found: Sequence[Encoded], rng: random.Random) -> Iterator[list[Encoded]]:
    """One epoch, each set at its share, in batches of like lengths."""
    epoch: list[Encoded] = []
    for name in sorted({one.example.set for one in found}):
        mine, share = [one for one in found if one.example.set == name], SHARES.get(name, 1.0)
        many = int(len(mine) * share)
        epoch += rng.sample(mine, many) if share <= 1 else rng.choices(mine, k=many)
    rng.shuffle(epoch)
    made: list[list[Encoded]] = []
    for start in range(0, len(epoch), 1600):
        batch: list[Encoded] = []
        for one in sorted(epoch[start : start + 1600], key=lambda one: len(one.tokens) + 8 * rng.random()):
            if batch and (len(batch) + 1) * -(-len(one.tokens) // STEP) * STEP > BATCH:
                made.append(batch)
                batch = []
            batch.append(one)
        made.append(batch)
    rng.shuffle(made)
    yield from made


def train(network: Network, found: Sequence[Encoded], many: int, rng: random.Random) -> None:
    """Train on this number of examples."""
    heads = ("relevance", "inner", "answer", "best_sentence")
    groups: list[list[nn.Parameter]] = [[], []]
    for name, weights in network.named_parameters():
        if weights.requires_grad:
            groups[name.startswith(heads)].append(weights)
    rates = (RATE, HEAD_RATE)
    parts = [{"params": group, "lr": rate} for group, rate in zip(groups, rates, strict=True)]
    optimizer = torch.optim.AdamW(parts, weight_decay=0.01)
    network.train()
    seen, losses = 0, list[float]()
    while seen < many:
        for batch in batches(found, rng):
            progress = seen / many
            if progress >= 1:
                break
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(1.0, progress / WARM_UP) * max(0.02, 1 - progress)
            loss = loss_of(network, batch)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seen += len(batch)
            losses.append(float(loss))
            if len(losses) % 100 == 0:
                click.echo(f"{seen} of {many} examples, loss {math.fsum(losses[-100:]) / 100:.3f}")


def export(network: Network, folder: Path, recipe: Recipe) -> Recipe:
    """Write the int8 model and its recipe. Returns the recipe with the hash of the model."""
    network.eval()
    tokens = torch.full((1, 40), FULL_STOP)
    asked = torch.zeros(1, 40)
    asked[:, 1:9] = 1
    names = ("input_ids", "token_type_ids", "question")
    with tempfile.TemporaryDirectory() as temporary:
        whole = str(Path(temporary) / "whole.onnx")
        torch.onnx.export(
            Exported(network),
            (tokens, torch.zeros_like(tokens), asked),
            whole,
            input_names=list(names),
            output_names=["answer", "relevance"],
            dynamic_axes={name: {1: "tokens"} for name in (*names, "relevance")},
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(
            whole,
            str(folder / "model.onnx"),
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Gather", "Gemm"],
        )
    best = round(float(network.best_sentence), 6)
    written = recipe.model_copy(update={"best_sentence": best, "sha256": digest(folder / "model.onnx")})
    (folder / RECIPE).write_text(written.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return written


@click.command()
@click.option("--train", "sets", type=click.Path(exists=True, path_type=Path), required=True, help="Sets to train on.")
@click.option("--bench", type=click.Path(exists=True, path_type=Path), required=True, help="The other collections.")
@click.option("--examples", "many", default=40_000, show_default=True, help="How many are seen, again and again.")
@click.option("--seed", default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, help="Where the model is written.")
def main(sets: Path, bench: Path, many: int, seed: int, out: Path) -> None:
    """Train, and write the model."""
    torch.manual_seed(seed)
    recipe = Recipe.model_validate_json((FOLDER / RECIPE).read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    found = examples(sets, bench, read(shipped_corpus()).papers, OnnxEmbedder(), seed)
    network = from_embedder(WEIGHTS / "model_quantized.onnx")
    train(network, [encode(one, tokenizer, recipe) for one in found], many, random.Random(seed))
    out.mkdir(parents=True, exist_ok=True)
    click.echo(f"written: {export(network, out, recipe).sha256}")


if __name__ == "__main__":
    main()
