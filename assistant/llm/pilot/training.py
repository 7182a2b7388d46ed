"""Train the pilot from nothing: tokenizer, a small Qwen3-architecture causal LM, and its two companion views.

`make pilot` runs this on a CPU within the hour; `--minutes` sets the time for the language model.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from assistant.llm.example_utterances import ROUTES, ExampleUtterance, read_examples
from assistant.llm.pilot.corpus import TrainingText, lead_texts, masked_text, read_leads, routing_text
from assistant.llm.route_views import RouteViews, minilm_folder
from assistant.llm.turn_schema import MASKS, TOOL_NAMES
from knowledge.embedding import Embedder
from knowledge.ranking import HybridRanker

FOLDER = Path(__file__).parent / "weights"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n<think>' }}{%- endif -%}"
)
SPECIAL = ("<|im_start|>", "<|im_end|>", "<|pad|>")
WORDS = ("<think>", "</think>", "<tool_call>", "</tool_call>", *(f"<|{r}|>" for r in ROUTES), *MASKS, *TOOL_NAMES)
NEIGHBOURS = 12
HELD_OUT = 12  # one example in so many is kept for choosing the mixture's weights


def train_tokenizer(texts: Sequence[str], vocabulary: int = 3600) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of English and Japanese, with the chat template."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIAL) - len(WORDS),
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in WORDS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|pad|>", model_max_length=1024
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def build_model(vocabulary: int) -> Qwen3ForCausalLM:
    """A Qwen3-architecture model of about four million parameters, randomly initialised."""
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=256,
            intermediate_size=640,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=64,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            attention_dropout=0.1,
        )
    )


def encode(tokenizer: PreTrainedTokenizerFast, text: TrainingText) -> tuple[list[int], int]:
    """Token ids of a training text and the number of leading ids that are only read."""
    prompt = tokenizer.apply_chat_template(list(text.messages), add_generation_prompt=True, tokenize=False)
    assert isinstance(prompt, str)
    read = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    learnt = tokenizer(text.answer.removeprefix("<think>") + "<|im_end|>", add_special_tokens=False)["input_ids"]
    return [*read, *learnt], len(read)  # type: ignore[misc]


def batches(rows: list[tuple[list[int], int]], tokens: int, rng: random.Random) -> list[list[tuple[list[int], int]]]:
    """Rows grouped by similar length into batches of about `tokens` tokens, in random order."""
    ordered = sorted(rows, key=lambda r: len(r[0]) + rng.random() * 20)
    groups: list[list[tuple[list[int], int]]] = [[]]
    for row in ordered:
        if groups[-1] and (len(groups[-1]) + 1) * len(row[0]) > tokens:
            groups.append([])
        groups[-1].append(row)
    rng.shuffle(groups)
    return groups


def collate(group: list[tuple[list[int], int]], pad: int, drop: float, rng: random.Random) -> dict[str, torch.Tensor]:
    """Padded tensors of shape (rows, longest); read tokens are dropped at random, which helps on unseen wordings."""
    longest = max(len(ids) for ids, _ in group)
    ids = torch.full((len(group), longest), pad)
    labels = torch.full((len(group), longest), -100)
    for i, (row, read) in enumerate(group):
        tokens = [pad if j < read and rng.random() < drop else t for j, t in enumerate(row)]
        ids[i, : len(row)] = torch.tensor(tokens)
        labels[i, read : len(row)] = torch.tensor(row[read:])
    mask = (torch.arange(longest)[None, :] < torch.tensor([len(r) for r, _ in group])[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def fit(
    model: Qwen3ForCausalLM,
    make_rows: RowMaker,
    *,
    minutes: float,
    pad: int,
    rng: random.Random,
    device: str,
) -> dict[str, float]:
    """Train for `minutes`, drawing fresh neighbours each epoch; returns steps, epochs and the last loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.2e-3, betas=(0.9, 0.98), weight_decay=0.05)
    model.to(device).train()
    started, step, epoch, loss_value = time.monotonic(), 0, 0, math.nan
    while (elapsed := (time.monotonic() - started) / 60) < minutes:
        for group in batches(make_rows(epoch), 4096, rng):
            elapsed = (time.monotonic() - started) / 60
            if elapsed >= minutes:
                break
            done = elapsed / minutes
            rate = 1.2e-3 * min(1.0, (step + 1) / 60) * (0.5 * (1 + math.cos(math.pi * done)) * 0.97 + 0.03)
            for group_options in optimizer.param_groups:
                group_options["lr"] = rate
            batch = {k: v.to(device) for k, v in collate(group, pad, 0.1, rng).items()}
            with torch.autocast(device, dtype=torch.bfloat16):
                loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, loss_value = step + 1, float(loss.detach())
            if step % 50 == 0:
                print(f"  {elapsed:5.1f} min  epoch {epoch}  step {step}  loss {loss_value:.3f}", file=sys.stderr)  # noqa: T201 (the training's progress)
        epoch += 1
    model.to("cpu").eval()
    return {"steps": step, "epochs": epoch, "last_loss": round(loss_value, 4), "minutes": round(minutes, 1)}


class RowMaker:
    """Token rows of an epoch: every utterance with its neighbours, and the leads."""

    def __init__(
        self,
        examples: Sequence[ExampleUtterance],
        texts: Sequence[str],
        neighbours: Sequence[Sequence[int]],
        tokenizer: PreTrainedTokenizerFast,
        rng: random.Random,
    ) -> None:
        self.examples, self.texts, self.neighbours = examples, texts, neighbours
        self.tokenizer, self.rng = tokenizer, rng
        self.questions: dict[tuple[str, str], list[str]] = {}
        for example, text in zip(examples, texts, strict=True):
            self.questions.setdefault((example.routes[0], example.language), []).append(text)

    def __call__(self, epoch: int) -> list[tuple[list[int], int]]:
        """Rows of one epoch; neighbours are thinned at random so that the model can also do without."""
        rng = self.rng
        rows: list[TrainingText] = []
        for i, example in enumerate(self.examples):
            keep = rng.choice((1.0, 1.0, 0.7, 0.4, 0.0))
            near = [
                (self.texts[j], "+".join(self.examples[j].routes)) for j in self.neighbours[i] if rng.random() < keep
            ]
            rows.append(routing_text(example, self.texts[i], near))
        rows += lead_texts(self.questions, rng, copies=4 if epoch else 8)
        return [encode(self.tokenizer, row) for row in rows]


def neighbours_of(ranker: HybridRanker, texts: Sequence[str]) -> list[list[int]]:
    """For every text the indices of the most similar others."""
    found = ranker.rank_many(texts, NEIGHBOURS + 1)
    return [[j for j, *_ in near if j != i][:NEIGHBOURS] for i, near in enumerate(found)]


def train(minutes: float, folder: Path = FOLDER, seed: int = 7) -> dict[str, object]:
    """Train everything and write it to `folder`; returns what the card states about the training."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    examples = read_examples()
    texts = [masked_text(e) for e in examples]
    embedder = Embedder(minilm_folder())
    ranker = HybridRanker(texts, embedder)
    neighbours = neighbours_of(ranker, texts)
    held_out = {i for i in range(len(examples)) if i % HELD_OUT == 0}
    train_indices = [i for i in range(len(examples)) if i not in held_out]

    leads = [s for by in read_leads().values() for ls in by.values() for s in ls]
    tokenizer = train_tokenizer(
        [*texts, *leads, *(f"last: {t}" for t in TOOL_NAMES), '{"name": "arguments": {"model": }}']
    )
    model = build_model(len(tokenizer))
    rows = RowMaker(
        [examples[i] for i in train_indices],
        [texts[i] for i in train_indices],
        [_renumber(neighbours[i], train_indices) for i in train_indices],
        tokenizer,
        rng,
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    facts = fit(model, rows, minutes=minutes, pad=tokenizer.pad_token_id, rng=rng, device=device)

    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.float32).generation_config.eos_token_id = tokenizer.eos_token_id
    model.config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    views = RouteViews.fit(
        [texts[i] for i in train_indices],
        embedder.embed([texts[i] for i in train_indices]),
        [examples[i].routes[0] for i in train_indices],
        [examples[i].after for i in train_indices],
    )
    views.save(folder)
    summary: dict[str, object] = {
        **facts,
        "examples": len(train_indices),
        "held_out": sorted(held_out),
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    (folder / "training.json").write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def _renumber(indices: Sequence[int], kept: Sequence[int]) -> list[int]:
    position = {index: i for i, index in enumerate(kept)}
    return [position[i] for i in indices if i in position]


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=35.0, help="time for the language model")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(arguments)
    np.random.seed(7)
    print(json.dumps(train(options.minutes, options.folder), indent=1))  # noqa: T201 (a command's output)


if __name__ == "__main__":
    main()
