"""The pilot as a chat model: it routes a question to tools, or opens an answer.

Routing: code masks models and quantities, retrieves similar example utterances, and the language model names the route
in its thought. Its distribution over routes is mixed with two other views (`route_views.py`, `adapted_minilm.py`);
unsure, it asks back with the two likeliest readings, and it starts a dear tool only when it is sure. Then the language
model writes the calls, constrained to what the turn allows. Opening: given the tools' outcomes, it chooses the sentence.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel, ConfigDict, PrivateAttr

from assistant.languages import language_of
from assistant.llm.adapted_minilm import SECOND, AdaptedMiniLM
from assistant.llm.example_utterances import ANSWERED, ROUTES, read_examples
from assistant.llm.guidance_opinion import GUIDANCE, ClosestEntry, with_guidance
from assistant.llm.pilot.corpus import masked_text, read_leads, tool_call
from assistant.llm.pilot.prompt import EXAMPLES_IN_PROMPT, lead_messages, routing_messages, thought
from assistant.llm.route_views import EXAMPLE_VECTORS, Floats, RouteViews, log_softmax, minilm_folder
from assistant.llm.small_talk import TALK, kind_of_talk
from assistant.llm.tool_call_text import parse_answer
from assistant.llm.transformers_chat import TransformersChat, calls_chunk
from assistant.llm.turn_schema import DEAR_TOOLS, TurnContext, read_turn
from knowledge.embedding import Embedder
from knowledge.ranking import HybridRanker
from knowledge.shipped_vectors import embed_texts

WEIGHTS = Path(__file__).parent / "pilot" / "weights"
SURE = 0.35
"""Below this probability the pilot asks back."""
SURE_OF_DEAR = 0.7
"""Below this probability the pilot does not start a dear tool."""
WITHOUT_MODEL = 0.35
"""Factor on the probability of a tool that is about a model in a conversation that has none: such words are often meant
in general, and guidance answers those."""
WITHOUT_MODEL_AFTER_GUIDANCE = 0.1
"""The same where the turn before was answered from the guidance: a follow-up speaks of what was just said."""
UNASKED = 0.002
"""Factor on everything but the version check where the words ask whether two references hold the same files, and on everything
but guidance where they set something beside a hosted service."""
SURE_OF_SECOND = 0.4
"""Below this probability the pilot does not call a second tool."""
SURE_OF_SECOND_DEAR = 0.55
"""The same for a dear one. All thresholds were chosen on examples that no view has learnt, so that on those a dear tool is
started unasked in at most two thirds of a percent."""


class Route(BaseModel):
    """The pilot's decision for a question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    routes: tuple[str, ...]
    """Tools in order, or one of `ANSWERED`."""
    probability: float
    """Probability of the first route in the mixture, in [0, 1]."""
    readings: tuple[tuple[str, float], ...]
    """The likeliest routes with their probabilities."""


class Reading(NamedTuple):
    """A question as the views read it."""

    scores: dict[str, Floats]
    """Log-probabilities of the routes by each view: `lm`, `ngrams`, `minilm`, each of shape (routes,)."""
    second: Floats
    """Log-probabilities of the second route (or none) by MiniLM, of shape (1 + routes,)."""
    prompt: str
    """What the language model read."""


class RouteModel:
    """What the routing needs beside the language model: example utterances, their ranker, and the other two views.

    Args:
        weights: Folder of the trained pilot.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights

    @cached_property
    def embedder(self) -> Embedder:
        """MiniLM."""
        return Embedder(minilm_folder())

    @cached_property
    def _examples(self) -> tuple[list[str], list[str]]:
        examples = read_examples()
        return [masked_text(e) for e in examples], ["+".join(e.routes) for e in examples]

    @cached_property
    def _ranker(self) -> HybridRanker:
        texts = self._examples[0]
        vectors = embed_texts(texts, self.embedder, self._weights / EXAMPLE_VECTORS)
        return HybridRanker(texts, self.embedder, vectors)

    @cached_property
    def views(self) -> RouteViews:
        """The n-grams and the mixture that were fitted with the pilot."""
        return RouteViews.load(self._weights)

    @cached_property
    def minilm(self) -> AdaptedMiniLM:
        """MiniLM with the adapters that were trained with the pilot."""
        return AdaptedMiniLM(minilm_folder(), self._weights)

    def embed(self, masked: str) -> Floats:
        """MiniLM's vector of a masked question, shape (384,)."""
        return self.embedder.embed([masked])[0]

    def retrieve(
        self, masked: str, vector: Floats | None = None, leave_out: Container[str] = ()
    ) -> list[tuple[str, str]]:
        """The most similar example utterances with their routes, the most similar last.

        Args:
            masked: The masked question.
            vector: Its vector, where it is known already.
            leave_out: Masked utterances that are not to be found.
        """
        texts, routes = self._examples
        near = self._ranker.rank_embedded(
            masked, self.embed(masked) if vector is None else vector, EXAMPLES_IN_PROMPT * (5 if leave_out else 1)
        )
        found = [(texts[i], routes[i]) for i, *_ in near]
        return [pair for pair in found if pair[0] not in leave_out][:EXAMPLES_IN_PROMPT][::-1]


class PilotChat(TransformersChat):
    """The embedded pilot.

    Args:
        routing: Its other two views; loaded when not given.
        closest_entry: What the guidance's search says of a question; without it the wording alone decides.
        kwargs: Settings of `TransformersChat`.
    """

    source: str = str(WEIGHTS)
    dtype: str = "float32"
    max_new_tokens: int = 160

    _routing: RouteModel = PrivateAttr(default_factory=RouteModel)
    _closest_entry: ClosestEntry | None = PrivateAttr(default=None)

    def __init__(
        self, routing: RouteModel | None = None, closest_entry: ClosestEntry | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._closest_entry = closest_entry
        if routing is not None:
            self._routing = routing

    @property
    def _llm_type(self) -> str:
        return "tameshi-pilot"

    def warm_up(self) -> None:
        """Load everything and take one decision, so that the first question does not wait."""
        self.decide(read_turn("Is it safe to use?"))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 (the base's signature)
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self.load()
        question = next((m for m in reversed(messages) if isinstance(m, HumanMessage)), HumanMessage(""))
        turn: TurnContext = kwargs.get("turn") or read_turn(str(question.content))
        outcomes = _outcomes(messages)
        if outcomes:
            yield from self._open_answer(turn, outcomes, {}, run_manager)
            return
        reading = self.read(turn)
        route = self.decide(turn, reading)
        metadata = {"route": route.model_dump(mode="json")}
        if route.routes[0] in ANSWERED:
            kind = kind_of_talk(turn.question) if route.routes[0] == TALK else route.routes[0]
            outcome = f"{route.routes[0]}.{kind} {turn.language}"
            yield from self._open_answer(turn, [outcome], metadata, run_manager)
            return
        yield calls_chunk(self._write_calls(turn, route, reading.prompt), metadata)

    def read(self, turn: TurnContext, leave_out: Container[str] = ()) -> Reading:
        """Read a question with each view.

        Args:
            turn: The question.
            leave_out: Masked example utterances that are not to be retrieved.
        """
        self.load()
        masked = turn.masked
        vector = self._routing.embed(masked)
        near = self._routing.retrieve(masked, vector, leave_out)
        prompt = self._prompt(routing_messages(masked, near, turn.last_tool))
        lm = log_softmax(self._next_logits(prompt, [f"<|{route}|>" for route in ROUTES]))
        ngrams = self._routing.views.ngrams([masked], [turn.last_tool])[0]
        minilm, second = self._routing.minilm.read(masked, turn.last_tool)
        return Reading({"lm": lm, "ngrams": ngrams, "minilm": minilm}, second, prompt)

    def decide(self, turn: TurnContext, reading: Reading | None = None) -> Route:
        """Choose the route of a question.

        Args:
            turn: The question.
            reading: What `read` returned for it, where it was read already.
        """
        if again := turn.varied:
            return Route(routes=(again,), probability=1.0, readings=((again, 1.0),))
        scores, second, prompt = reading or self.read(turn)
        doubt = doubts(turn)
        mixed = np.exp(self._routing.views.mixed(scores, language_of(turn.question)))
        mixed /= mixed.sum()
        probabilities = mixed * [doubt[route] for route in ROUTES]
        probabilities /= probabilities.sum()
        readings = tuple((ROUTES[i], round(float(probabilities[i]), 4)) for i in np.argsort(-probabilities)[:3])
        first = choose(readings)
        routes = (first, *self._second_route(prompt, first, second, doubt))
        if self._closest_entry is not None:
            routes = with_guidance(routes, float(mixed[ROUTES.index(GUIDANCE)]), turn, self._closest_entry)
        return Route(routes=routes, probability=readings[0][1], readings=readings)

    def _next_logits(self, prompt: str, tokens: Sequence[str]) -> Floats:
        """The language model's logits of these tokens behind a prompt, shape (tokens,)."""
        import torch  # noqa: PLC0415 (heavy import, only when needed)

        ids = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
        with self._lock, torch.inference_mode():
            logits = self._model(input_ids=ids, logits_to_keep=1).logits[0, -1]
        return logits[self._tokenizer.convert_tokens_to_ids(list(tokens))].float().numpy()

    def _second_route(self, prompt: str, first: str, second: Floats, doubt: dict[str, float]) -> tuple[str, ...]:
        """A second tool, where the language model and MiniLM together want one after the first."""
        if first in ANSWERED:
            return ()
        tools = [r for r in ROUTES if r not in {*ANSWERED, first}]
        lm = log_softmax(self._next_logits(f"{prompt}<|{first}|>", ["</think>", *(f"<|{r}|>" for r in tools)]))
        minilm = log_softmax(second[[0, *(SECOND.index(r) for r in tools)]])
        chances = (np.exp(lm) + np.exp(minilm)) / 2 * [1.0, *(doubt[r] for r in tools)]
        best = int(chances.argmax())
        sure = SURE_OF_SECOND_DEAR if best and tools[best - 1] in DEAR_TOOLS else SURE_OF_SECOND
        return (tools[best - 1],) if best and chances[best] >= sure else ()

    def _write_calls(self, turn: TurnContext, route: Route, prompt: str) -> AIMessage:
        """Let the language model write the calls of these routes, constrained to what the turn allows."""
        grammar = calls_grammar(self._tokenizer, turn, route.routes)
        message = parse_answer(
            "".join(self.decode(prompt + thought(route.routes), grammar=grammar, max_new_tokens=120))
        )
        for call in message.tool_calls:
            call["args"] = turn.complete(call["name"], _unmasked(turn, call["args"]))
        return message

    def _open_answer(
        self,
        turn: TurnContext,
        outcomes: list[str],
        metadata: dict[str, Any],
        run_manager: CallbackManagerForLLMRun | None,
    ) -> Iterator[ChatGenerationChunk]:
        outcome, _, language = outcomes[0].partition(" ")
        leads = read_leads().get(outcome, {}).get(language, [])
        prompt = self._prompt(lead_messages(turn.masked, outcomes[:1])) + "</think>"
        for piece in self.decode(prompt, grammar=leads_grammar(self._tokenizer, leads)) if leads else ():
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata=metadata))

    def _prompt(self, messages: list[dict[str, str]]) -> str:
        return self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)


def doubts(turn: TurnContext) -> dict[str, float]:
    """By route the factor on its probability, from 0 to 1: less than one where it needs a model and there is none."""
    unnamed = WITHOUT_MODEL_AFTER_GUIDANCE if turn.last_tool == "search_guidance" else WITHOUT_MODEL
    found = {route: unnamed if turn.needs_model(route) else 1.0 for route in ROUTES}
    if turn.asks_contents:
        return _only("check_version", found)
    return _only(GUIDANCE, found) if turn.beside_service else found


def _only(meant: str, factors: dict[str, float]) -> dict[str, float]:
    return {route: factor * (1.0 if route == meant else UNASKED) for route, factor in factors.items()}


def choose(readings: tuple[tuple[str, float], ...]) -> str:
    """The route to take, given the likeliest ones: asked back when unsure, cheap before dear."""
    (first, p_first), (second, p_second) = readings[0], readings[1]
    if first in DEAR_TOOLS and p_first < SURE_OF_DEAR:
        cheap = second not in DEAR_TOOLS and second not in ANSWERED
        return second if cheap and p_second >= SURE / 2 and p_first + p_second >= 0.8 else "ask_user"
    return first if p_first >= SURE else "ask_user"


def calls_grammar(tokenizer: Any, turn: TurnContext, routes: tuple[str, ...]) -> str:
    """Grammar (llguidance's Lark dialect) of the calls of these routes in this turn, over the tokenizer's tokens."""
    parts: list[str] = []
    for i, route in enumerate(routes):
        head, found, tail = tool_call(route).partition("<model>")
        text = head if i == 0 else f"\n{head}"
        parts += _tokens(tokenizer, text)
        if found:
            masks = [_mask_of(j) for j in range(len(turn.models))] or ["<model>"]
            parts += [
                "(" + " | ".join(" ".join(_tokens(tokenizer, mask)) for mask in masks) + ")",
                *_tokens(tokenizer, tail),
            ]
    return f"start: {' '.join([*parts, *_tokens(tokenizer, tokenizer.eos_token)])}\n"


def leads_grammar(tokenizer: Any, leads: Sequence[str]) -> str:
    """Grammar of the sentences that open such an answer: so small a model is not trusted with words of its own."""
    sentences = [" ".join([*_tokens(tokenizer, lead), *_tokens(tokenizer, tokenizer.eos_token)]) for lead in leads]
    return f"start: {' | '.join(sentences)}\n"


def _tokens(tokenizer: Any, text: str) -> list[str]:
    return [f"<[{token}]>" for token in tokenizer(text, add_special_tokens=False)["input_ids"]]


def _mask_of(index: int) -> str:
    return "<model>" if index == 0 else f"<model>{index + 1}"


def _unmasked(turn: TurnContext, arguments: dict[str, Any]) -> dict[str, Any]:
    chosen = {_mask_of(i): reference for i, reference in enumerate(turn.models)}
    return {name: chosen.get(value, value) for name, value in arguments.items()}


def _outcomes(messages: list[BaseMessage]) -> list[str]:
    """`tool.outcome language` of the tool results since the last question."""
    found: list[str] = []
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, ToolMessage):
            found.append(str(message.content).split("\n", 1)[0])
    return found
