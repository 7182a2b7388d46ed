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

from assistant.languages import LANGUAGES
from assistant.llm.example_utterances import ROUTES, ExampleUtterance, read_examples
from assistant.llm.pilot.corpus import TrainingText, lead_texts, masked_text, read_leads, routing_text, tool_call
from assistant.llm.pilot.prompt import EXAMPLES_IN_PROMPT, after
from assistant.llm.pilot_chat import PilotChat, RouteModel
from assistant.llm.route_views import (
    VIEWS,
    ExampleVectors,
    Floats,
    RouteViews,
    fit_mixture,
    minilm_folder,
    with_translation,
)
from assistant.llm.turn_schema import MASKS, TOOL_NAMES, TurnContext
from knowledge.embedding import Embedder
from knowledge.ranking import HybridRanker

FOLDER = Path(__file__).parent / "weights"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}{{ '<|' + message.role + '|>' + message.content + '<|im_end|>' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|><think>' }}{%- endif -%}"
)
SPECIAL = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|im_end|>", "<|pad|>")
WORDS = ("<think>", "</think>", "<tool_call>", "</tool_call>", *(f"<|{r}|>" for r in ROUTES), *MASKS, *TOOL_NAMES)
NEIGHBOURS = 12
HELD_OUT = 12  # one example in so many is kept for fitting the mixture of the views
STRAY_LAST_TOOL = 0.25  # share of utterances that stand by themselves and yet come after a turn with a tool
PEAK_RATE = 1.5e-3
BATCH_TOKENS = 4096


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
    """A Qwen3-architecture model of about two and a half million parameters, randomly initialised."""
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=3,
            num_key_value_heads=3,
            head_dim=64,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            attention_dropout=0.1,
        )
    )


def encode(tokenizer: PreTrainedTokenizerFast, text: TrainingText) -> tuple[list[int], list[bool]]:
    """Token ids of a training text, and which of them are learnt: what the assistant says after `<think>`."""
    ids: list[int] = []
    learnt: list[bool] = []
    for message in text.messages:
        said = message["content"]
        opening = f"<|{message['role']}|>" + ("<think>" if message["role"] == "assistant" else "")
        for part, is_learnt in (
            (opening, False),
            (said.removeprefix("<think>") + "<|im_end|>", message["role"] == "assistant"),
        ):
            piece = tokenizer.encode(part, add_special_tokens=False)
            ids += piece
            learnt += [is_learnt] * len(piece)
    return ids, learnt


Row = tuple[list[int], list[bool]]


def batches(rows: list[Row], rng: random.Random) -> list[list[Row]]:
    """Rows grouped by similar length into batches of about `BATCH_TOKENS` tokens, in random order."""
    groups: list[list[Row]] = [[]]
    for row in sorted(rows, key=lambda r: len(r[0]) + rng.random() * 20):
        if groups[-1] and (len(groups[-1]) + 1) * len(row[0]) > BATCH_TOKENS:
            groups.append([])
        groups[-1].append(row)
    rng.shuffle(groups)
    return groups


def collate(group: list[Row], pad: int, drop: float, rng: random.Random) -> dict[str, torch.Tensor]:
    """Padded tensors of shape (rows, longest); read tokens are dropped at random, which helps on unseen wordings."""
    longest = max(len(ids) for ids, _ in group)
    ids = torch.full((len(group), longest), pad)
    labels = torch.full((len(group), longest), -100)
    mask = torch.zeros((len(group), longest), dtype=torch.long)
    for i, (row, learnt) in enumerate(group):
        ids[i, : len(row)] = torch.tensor(
            [pad if not known and rng.random() < drop else token for token, known in zip(row, learnt, strict=True)]
        )
        labels[i, : len(row)] = torch.tensor(
            [token if known else -100 for token, known in zip(row, learnt, strict=True)]
        )
        mask[i, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def loss_of(model: Qwen3ForCausalLM, batch: dict[str, torch.Tensor], autocast: bool) -> torch.Tensor:
    """Mean cross-entropy over the learnt tokens; the output layer is computed for these alone, which saves a quarter."""
    with torch.autocast(batch["input_ids"].device.type, dtype=torch.bfloat16, enabled=autocast):
        hidden = model.model(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        wanted = batch["labels"][:, 1:]
        known = wanted != -100
        logits = model.lm_head(hidden[:, :-1][known])
    return torch.nn.functional.cross_entropy(logits.float(), wanted[known], label_smoothing=0.05)


def is_faster_in_bfloat16(model: Qwen3ForCausalLM, batch: dict[str, torch.Tensor]) -> bool:
    """Whether a step takes less time in bfloat16; a processor without instructions for it emulates it slowly."""
    seconds: list[float] = []
    for autocast in (False, False, True):  # the first one warms up
        started = time.perf_counter()
        loss_of(model, batch, autocast).backward()
        seconds.append(time.perf_counter() - started)
        model.zero_grad(set_to_none=True)
    return seconds[2] < seconds[1]


def fit(
    model: Qwen3ForCausalLM, make_rows: RowMaker, *, minutes: float, pad: int, rng: random.Random, device: str
) -> dict[str, float]:
    """Train for `minutes`, drawing fresh neighbours each epoch; returns steps, epochs and the last loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.1)
    torch.nn.Module.to(model, device)
    model.train()
    step, epoch, losses = 0, 0, [math.nan]
    autocast: bool | None = None
    started = time.monotonic()
    while (time.monotonic() - started) / 60 < minutes:
        for group in batches(make_rows(epoch), rng):
            done = (time.monotonic() - started) / 60 / minutes
            if done >= 1:
                break
            batch = {k: v.to(device) for k, v in collate(group, pad, 0.1, rng).items()}
            if autocast is None:
                autocast = is_faster_in_bfloat16(model, {k: v[:2] for k, v in batch.items()})
            rate = PEAK_RATE * min(1.0, (step + 1) / 60) * (0.5 * (1 + math.cos(math.pi * done)) * 0.98 + 0.02)
            for group_options in optimizer.param_groups:
                group_options["lr"] = rate
            loss = loss_of(model, batch, autocast)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, losses = step + 1, [*losses[-49:], float(loss.detach())]
            if step % 50 == 0:
                mean = sum(losses[-50:]) / 50
                print(f"  {done * minutes:5.1f} min  epoch {epoch}  step {step}  loss {mean:.3f}", file=sys.stderr)  # noqa: T201 (the training's progress)
        epoch += 1
    torch.nn.Module.to(model, "cpu")
    model.eval()
    return {"steps": step, "epochs": epoch, "last_loss": round(losses[-1], 4), "minutes": round(minutes, 1)}


class RowMaker:
    """Token rows of an epoch: every utterance behind its neighbours, and the leads.

    Args:
        examples: The utterances to learn.
        texts: The same, masked.
        neighbours: For each the indices of similar ones, the most similar first.
        tokenizer: The pilot's tokenizer.
        rng: Source of randomness.
    """

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

    def __call__(self, epoch: int) -> list[Row]:
        """Rows of one epoch; neighbours are thinned at random so that the model can also do without."""
        rng = self.rng
        rows: list[TrainingText] = []
        for i, example in enumerate(self.examples):
            keep = rng.choice((1.0, 0.7, 0.5, 0.3))
            near = [j for j in self.neighbours[i] if rng.random() < keep][:EXAMPLES_IN_PROMPT]
            shown = [(self.texts[j], "+".join(self.examples[j].routes)) for j in reversed(near)]
            last_tool = example.after or (rng.choice(TOOL_NAMES) if rng.random() < STRAY_LAST_TOOL else "")
            rows.append(routing_text(self.texts[i], example.routes, last_tool, shown))
        rows += lead_texts(self.questions, rng, copies=4 if epoch else 8)
        return [encode(self.tokenizer, row) for row in rows]


def neighbours_of(ranker: HybridRanker, texts: Sequence[str], vectors: Floats) -> list[list[int]]:
    """For every text the indices of the most similar others."""
    found = [ranker.rank_embedded(t, v, NEIGHBOURS + 1) for t, v in zip(texts, vectors, strict=True)]
    return [[j for j, *_ in near if j != i][:NEIGHBOURS] for i, near in enumerate(found)]


def train(minutes: float, folder: Path = FOLDER, seed: int = 7) -> dict[str, object]:
    """Train everything and write it to `folder`; returns what the card states about the training."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    examples = read_examples()
    texts = [masked_text(e) for e in examples]
    embedder = Embedder(minilm_folder())
    held_out = range(0, len(examples), HELD_OUT)
    learnt = [i for i in range(len(examples)) if i % HELD_OUT]

    vectors = embedder.embed(texts)
    leads = [s for by in read_leads().values() for ls in by.values() for s in ls]
    tokenizer = train_tokenizer([*texts, *leads, *(after(t, "") for t in TOOL_NAMES), *map(tool_call, TOOL_NAMES)])
    model = build_model(len(tokenizer))
    own = [texts[i] for i in learnt]
    neighbours = neighbours_of(HybridRanker(own, embedder, vectors=vectors[learnt]), own, vectors[learnt])
    rows = RowMaker([examples[i] for i in learnt], own, neighbours, tokenizer, rng)
    pad, end = (tokenizer.get_vocab()[token] for token in ("<|pad|>", "<|im_end|>"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    facts = fit(model, rows, minutes=minutes, pad=pad, rng=rng, device=device)

    folder.mkdir(parents=True, exist_ok=True)
    model.generation_config.eos_token_id = model.config.eos_token_id = end
    model.config.pad_token_id = pad
    # Half the size, and loaded as float32 again.
    model.to(torch.bfloat16).save_pretrained(folder, safe_serialization=True)  # type: ignore[arg-type]
    tokenizer.save_pretrained(folder)
    ExampleVectors.save(folder, texts, embedder, vectors)
    companions = fit_companions(folder, examples, texts, with_translation(embedder, texts, vectors), learnt, held_out)
    summary: dict[str, object] = {
        **facts,
        **companions,
        "examples": len(learnt),
        "held_out": len(held_out),
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    (folder / "training.json").write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def fit_companions(
    folder: Path,
    examples: Sequence[ExampleUtterance],
    texts: Sequence[str],
    embeddings: Floats,
    learnt: Sequence[int],
    held_out: Sequence[int],
) -> dict[str, object]:
    """Fit the linear views and the mixture, the mixture on utterances that no view has learnt; then the views on all."""
    routes, before = [e.routes[0] for e in examples], [e.after for e in examples]

    def views_of(indices: Sequence[int]) -> RouteViews:
        return RouteViews.fit(
            [texts[i] for i in indices],
            embeddings[list(indices)],
            [routes[i] for i in indices],
            [before[i] for i in indices],
        )

    views_of(learnt).save(folder)
    pilot = PilotChat(source=str(folder), routing=RouteModel(weights=folder))
    languages = np.array([examples[i].language for i in held_out])
    targets = np.array([ROUTES.index(routes[i]) for i in held_out])
    asked = [pilot.read(masked_turn(texts[i], before[i]), texts[i]).scores for i in held_out]
    scores = {view: np.stack([each[view] for each in asked]) for view in VIEWS}
    mixture = np.stack(
        [
            fit_mixture({v: s[languages == language] for v, s in scores.items()}, targets[languages == language])
            for language in LANGUAGES
        ]
    )
    final = views_of(range(len(examples)))
    final.arrays["mixture"] = mixture
    final.save(folder)
    right = {view: round(float((s.argmax(axis=1) == targets).mean()), 4) for view, s in scores.items()}
    return {"mixture": mixture.round(3).tolist(), "right_on_held_out": right}


def masked_turn(text: str, last_tool: str) -> TurnContext:
    """A turn whose question is masked already."""
    return TurnContext(question=text, last_tool=last_tool)


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
