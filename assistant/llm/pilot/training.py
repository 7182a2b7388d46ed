"""Train the pilot from nothing: tokenizer and a small Qwen3-architecture causal LM; then its two companion views.

`make pilot` runs this on two CPU cores within the hour; `--minutes` sets the time for the language model.
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
from assistant.llm.example_utterances import ROUTES, read_examples
from assistant.llm.pilot.card import TRAINING
from assistant.llm.pilot.corpus import (
    MaskedUtterance,
    TrainingText,
    joined_utterances,
    lead_texts,
    masked_utterance,
    read_leads,
    routing_text,
    tool_call,
)
from assistant.llm.pilot.minilm_training import train_adapters
from assistant.llm.pilot.prompt import EXAMPLES_IN_PROMPT, after
from assistant.llm.pilot_chat import PilotChat, RouteModel
from assistant.llm.route_views import (
    EXAMPLE_VECTORS,
    VIEWS,
    Floats,
    RouteViews,
    fit_mixture,
    minilm_folder,
)
from assistant.llm.turn_schema import MASKS, TOOL_NAMES, TurnContext
from knowledge.embedding import Embedder
from knowledge.fitting.schedule import batches, learning_rate
from knowledge.ranking import HybridRanker
from knowledge.shipped_vectors import write_shipped

FOLDER = Path(__file__).parent / "weights"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}{{ '<|' + message.role + '|>' + message.content + '<|im_end|>' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|><think>' }}{%- endif -%}"
)
SPECIAL = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|im_end|>", "<|pad|>")
WORDS = ("<think>", "</think>", "<tool_call>", "</tool_call>", *(f"<|{r}|>" for r in ROUTES), *MASKS, *TOOL_NAMES)
NEIGHBOURS = 12
HELD_OUT = 14  # one block of examples in so many is kept for fitting the mixture of the views
BLOCK = 8  # neighbouring lines are alike, so whole blocks of them are kept
ADAPTER_EPOCHS = 6
JOINED = 8  # one joined utterance for so many examples
STRAY_LAST_TOOL = 0.25  # share of utterances that stand by themselves and yet come after a turn with a tool
PEAK_RATE = 1.5e-3
WARM_UP_STEPS = 60
BATCH_TOKENS = 4096
LENGTH_SPREAD = 20


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
        rows = make_rows(epoch)
        for group in batches(rows, lambda row: len(row[0]), tokens=BATCH_TOKENS, spread=LENGTH_SPREAD, rng=rng):
            done = (time.monotonic() - started) / 60 / minutes
            if done >= 1:
                break
            batch = {k: v.to(device) for k, v in collate(group, pad, 0.1, rng).items()}
            if autocast is None:
                autocast = is_faster_in_bfloat16(model, {k: v[:2] for k, v in batch.items()})
            for group_options in optimizer.param_groups:
                group_options["lr"] = learning_rate(PEAK_RATE, step, WARM_UP_STEPS, done)
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
    """Token rows of an epoch: every utterance behind its neighbours, joined ones, and the leads.

    Args:
        utterances: What to learn.
        neighbours: For each the indices of similar ones, the most similar first.
        tokenizer: The pilot's tokenizer.
        rng: Source of randomness.
    """

    def __init__(
        self,
        utterances: Sequence[MaskedUtterance],
        neighbours: Sequence[Sequence[int]],
        tokenizer: PreTrainedTokenizerFast,
        rng: random.Random,
    ) -> None:
        self.utterances, self.neighbours = utterances, neighbours
        self.tokenizer, self.rng = tokenizer, rng
        self.questions: dict[tuple[str, str], list[str]] = {}
        for each in utterances:
            self.questions.setdefault((each.routes[0], each.language), []).append(each.text)

    def __call__(self, epoch: int) -> list[Row]:
        """Rows of one epoch; neighbours are thinned at random so that the model can also do without."""
        rng = self.rng
        rows = [self._routing(each, self.neighbours[i]) for i, each in enumerate(self.utterances)]
        for each in joined_utterances(self.utterances, len(self.utterances) // JOINED, rng):
            # Neighbours of its parts would be the parts themselves.
            rows.append(self._routing(each, rng.choice(self.neighbours)))
        rows += lead_texts(self.questions, rng, copies=2 if epoch else 4)
        return [encode(self.tokenizer, row) for row in rows]

    def _routing(self, utterance: MaskedUtterance, near: Sequence[int]) -> TrainingText:
        rng = self.rng
        keep = rng.choice((1.0, 0.7, 0.5, 0.3))
        shown = [self.utterances[j] for j in near if rng.random() < keep][:EXAMPLES_IN_PROMPT]
        last_tool = utterance.after or (rng.choice(TOOL_NAMES) if rng.random() < STRAY_LAST_TOOL else "")
        pairs = [(each.text, "+".join(each.routes)) for each in reversed(shown)]
        return routing_text(utterance.text, utterance.routes, last_tool, pairs)


def neighbours_of(ranker: HybridRanker, texts: Sequence[str], vectors: Floats) -> list[list[int]]:
    """For every text the indices of the most similar others."""
    found = [ranker.rank_embedded(t, v, NEIGHBOURS + 1) for t, v in zip(texts, vectors, strict=True)]
    return [[j for j, *_ in near if j != i][:NEIGHBOURS] for i, near in enumerate(found)]


def is_held_out(number: int) -> bool:
    """Whether the example utterance of this number is kept for fitting what combines the views."""
    return number // BLOCK % HELD_OUT == HELD_OUT // 2


def train(minutes: float, folder: Path = FOLDER, seed: int = 7) -> dict[str, object]:
    """Train everything and write it to `folder`; returns what the card states about the training."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    utterances = [masked_utterance(e) for e in read_examples()]
    held_out = [i for i in range(len(utterances)) if is_held_out(i)]
    learnt = sorted(set(range(len(utterances))) - set(held_out))

    facts = train_language_model(utterances, learnt, minutes=minutes, folder=folder, rng=rng)
    facts["minilm_loss"] = train_adapters([utterances[i] for i in learnt], folder, epochs=ADAPTER_EPOCHS, rng=rng)
    companions = fit_companions(folder, utterances, learnt, held_out)
    summary: dict[str, object] = {**facts, **companions, "examples": len(learnt), "held_out": len(held_out)}
    (folder / TRAINING).write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def train_language_model(
    utterances: Sequence[MaskedUtterance], learnt: Sequence[int], *, minutes: float, folder: Path, rng: random.Random
) -> dict[str, float]:
    """Train the tokenizer and the causal LM and write both, with the vectors of all utterances."""
    embedder = Embedder(minilm_folder())
    texts = [each.text for each in utterances]
    vectors = embedder.embed(texts)
    leads = [s for by in read_leads().values() for ls in by.values() for s in ls]
    tokenizer = train_tokenizer([*texts, *leads, *(after(t, "") for t in TOOL_NAMES), *map(tool_call, TOOL_NAMES)])
    model = build_model(len(tokenizer))
    own = [utterances[i] for i in learnt]
    own_texts = [each.text for each in own]
    ranker = HybridRanker(own_texts, embedder, vectors=vectors[list(learnt)])
    rows = RowMaker(own, neighbours_of(ranker, own_texts, vectors[list(learnt)]), tokenizer, rng)
    pad, end = (tokenizer.get_vocab()[token] for token in ("<|pad|>", "<|im_end|>"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    facts = fit(model, rows, minutes=minutes, pad=pad, rng=rng, device=device)

    model.generation_config.eos_token_id = model.config.eos_token_id = end
    model.config.pad_token_id = pad
    # Half the size, and loaded as float32 again.
    model.to(torch.bfloat16).save_pretrained(folder, safe_serialization=True)  # type: ignore[arg-type]
    tokenizer.save_pretrained(folder)
    write_shipped(texts, vectors, embedder, folder / EXAMPLE_VECTORS)
    return {**facts, "parameters": sum(p.numel() for p in model.parameters())}


def fit_companions(
    folder: Path, utterances: Sequence[MaskedUtterance], learnt: Sequence[int], held_out: Sequence[int]
) -> dict[str, object]:
    """Fit the n-grams and the mixture, the mixture on utterances that no view has learnt; then the n-grams on all."""
    fit_ngrams([utterances[i] for i in learnt]).save(folder)
    pilot = PilotChat(source=str(folder), routing=RouteModel(weights=folder))
    unseen = [utterances[i] for i in held_out]
    languages = np.array([each.language for each in unseen])
    targets = np.array([ROUTES.index(each.routes[0]) for each in unseen])
    hidden = frozenset(each.text for each in unseen)
    readings = [pilot.read(TurnContext(question=u.text, last_tool=u.after), hidden) for u in unseen]
    scores = {view: np.stack([each.scores[view] for each in readings]) for view in VIEWS}
    mixture = np.stack(
        [
            fit_mixture({v: s[languages == language] for v, s in scores.items()}, targets[languages == language])
            for language in LANGUAGES
        ]
    )
    final = fit_ngrams(utterances)
    final.arrays["mixture"] = mixture
    final.save(folder)
    mixed = np.stack([final.mixed(r.scores, u.language) for r, u in zip(readings, unseen, strict=True)])
    right = {
        view: {
            language: round(float((s.argmax(axis=1) == targets)[languages == language].mean()), 4)
            for language in LANGUAGES
        }
        for view, s in {**scores, "mixed": mixed}.items()
    }
    return {"mixture": mixture.round(3).tolist(), "right_on_held_out": right}


def fit_ngrams(utterances: Sequence[MaskedUtterance]) -> RouteViews:
    """The n-grams fitted to these utterances."""
    return RouteViews.fit(
        [each.text for each in utterances], [each.routes[0] for each in utterances], [each.after for each in utterances]
    )


def refit(folder: Path) -> None:
    """After an edit of the examples: the n-grams and the vectors anew, which takes a minute; what was trained stays."""
    utterances = [masked_utterance(e) for e in read_examples()]
    views = fit_ngrams(utterances)
    views.arrays["mixture"] = RouteViews.load(folder).arrays["mixture"]
    views.save(folder)
    texts, embedder = [each.text for each in utterances], Embedder(minilm_folder())
    write_shipped(texts, embedder.embed(texts), embedder, folder / EXAMPLE_VECTORS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=35.0, help="time for the language model")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--refit", action="store_true", help="only what an edit of the examples leaves behind")
    options = parser.parse_args(arguments)
    if options.refit:
        refit(options.folder)
        return
    np.random.seed(7)
    print(json.dumps(train(options.minutes, options.folder), indent=1))  # noqa: T201 (a command's output)


if __name__ == "__main__":
    main()
