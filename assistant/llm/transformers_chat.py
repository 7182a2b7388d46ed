"""A chat model in this process, on transformers: streaming, tool calls, cancel, constrained decoding, KV-cache reuse."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from assistant.llm.tool_call_text import parse_answer
from knowledge.threads import loading

if TYPE_CHECKING:
    from transformers import LogitsProcessor

_ROLE = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}


class TransformersChat(BaseChatModel):
    """Any chat model that transformers can load from safetensors, with its own chat template."""

    source: str
    """Folder or hub id of the model."""
    max_new_tokens: int = Field(default=512, ge=1, le=8192)
    """Longest answer, in tokens."""
    dtype: str = "auto"
    """Number format of the weights; `auto` takes the checkpoint's."""
    device_map: str | None = None
    """accelerate's placement, such as `auto`; None means the CPU."""

    _model: Any = PrivateAttr(default=None)
    _tokenizer: Any = PrivateAttr(default=None)
    _ll_tokenizer: Any = PrivateAttr(default=None)
    _lock: threading.RLock = PrivateAttr(default_factory=threading.RLock)

    @property
    def _llm_type(self) -> str:
        return "transformers-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"source": self.source, "max_new_tokens": self.max_new_tokens}

    def load(self) -> None:
        """Load tokenizer and weights now instead of at the first question."""
        with self._lock:
            if self._model is not None:
                return
            with loading():
                from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 (heavy import, only when needed)

                local = Path(self.source).is_dir()
                options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": local}
                self._tokenizer = AutoTokenizer.from_pretrained(self.source, **options)
                self._model = AutoModelForCausalLM.from_pretrained(
                    self.source, use_safetensors=True, dtype=self.dtype, device_map=self.device_map, **options
                ).eval()

    def count_tokens(self, messages: Sequence[BaseMessage]) -> int:
        """Tokens of these messages by the model's own tokenizer."""
        self.load()
        return sum(len(self._tokenizer(str(m.content))["input_ids"]) + 4 for m in messages)

    def bind_tools(  # type: ignore[override]  # the base declares a wider union for tools
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with these tools offered in its prompt."""
        kwargs.pop("tool_choice", None)
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)  # type: ignore[return-value]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: ChatGenerationChunk | None = None
        for chunk in self._stream(messages, stop, run_manager, **kwargs):
            whole = chunk if whole is None else whole + chunk
        if whole is None:
            return ChatResult(generations=[ChatGeneration(message=AIMessage(content=""))])
        message = whole.message
        return ChatResult(
            generations=[
                ChatGeneration(
                    message=AIMessage(
                        content=message.content,
                        tool_calls=getattr(message, "tool_calls", []),
                        invalid_tool_calls=getattr(message, "invalid_tool_calls", []),
                        response_metadata=message.response_metadata,
                    )
                )
            ]
        )

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 (the end of the turn is the template's own)
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self.load()
        prompt = self._tokenizer.apply_chat_template(
            [as_template_message(m) for m in messages],
            tools=kwargs.get("tools") or None,
            add_generation_prompt=True,
            tokenize=False,
        )
        grammar = kwargs.get("grammar")
        text, shown = "", 0
        for piece in self.decode(prompt, grammar=grammar, max_new_tokens=self.max_new_tokens):
            text += piece
            visible = visible_length(text)
            shown = max(shown, thought_length(text))
            if visible > shown:
                chunk = ChatGenerationChunk(message=AIMessageChunk(content=text[shown:visible]))
                shown = visible
                if run_manager:
                    run_manager.on_llm_new_token(str(chunk.message.content), chunk=chunk)
                yield chunk
        answer = parse_answer(text)
        if shown < len(text) and "<tool_call>" not in text[shown:]:
            # Held back as the possible beginning of a tool call, which did not come.
            yield ChatGenerationChunk(message=AIMessageChunk(content=text[shown:]))
        yield calls_chunk(answer, {})

    def decode(self, prompt: str, *, grammar: str | None = None, max_new_tokens: int = 256) -> Iterator[str]:
        """Text that the model goes on with after `prompt`, piece by piece; closing the iterator stops the model."""
        from transformers import (  # noqa: PLC0415 (heavy import, only when needed)
            LogitsProcessorList,
            StoppingCriteriaList,
            TextIteratorStreamer,
        )

        stopped = threading.Event()
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=False)
        inputs = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(self._model.device)
        failure: list[BaseException] = []

        def run() -> None:
            try:
                with self._lock:
                    self._model.generate(
                        **{k: inputs[k] for k in ("input_ids", "attention_mask")},
                        max_new_tokens=max_new_tokens,
                        do_sample=False,
                        pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
                        streamer=streamer,
                        logits_processor=LogitsProcessorList(self._constraint(grammar)),
                        stopping_criteria=StoppingCriteriaList([lambda *_args, **_kwargs: stopped.is_set()]),  # type: ignore[list-item]
                    )
            except BaseException as error:  # noqa: BLE001 (handed to the reader's thread, which raises it)
                failure.append(error)
                streamer.text_queue.put(streamer.stop_signal)

        worker = threading.Thread(target=run, name="llm-generate", daemon=True)
        worker.start()
        try:
            for piece in streamer:
                piece = self._without_end(piece)
                if piece:
                    yield piece
        finally:
            stopped.set()
            worker.join(timeout=30)
        if failure:
            raise failure[0]

    def _without_end(self, piece: str) -> str:
        for token in (self._tokenizer.eos_token, self._tokenizer.pad_token, "<|im_end|>"):
            piece = piece.replace(token, "") if token else piece
        return piece

    def _constraint(self, grammar: str | None) -> list[LogitsProcessor]:
        if not grammar:
            return []
        from assistant.llm.constrained import GrammarConstraint, ll_tokenizer  # noqa: PLC0415 (heavy import)

        if self._ll_tokenizer is None:
            self._ll_tokenizer = ll_tokenizer(self._tokenizer)
        return [GrammarConstraint(self._ll_tokenizer, grammar)]


def as_template_message(message: BaseMessage) -> dict[str, Any]:
    """A LangChain message in the form that chat templates read."""
    content = message.content if isinstance(message.content, str) else json.dumps(message.content, ensure_ascii=False)
    rendered: dict[str, Any] = {"role": _ROLE.get(message.type, "user"), "content": content}
    if isinstance(message, AIMessage) and message.tool_calls:
        rendered["tool_calls"] = [
            {"type": "function", "function": {"name": c["name"], "arguments": c["args"]}} for c in message.tool_calls
        ]
    if isinstance(message, ToolMessage):
        rendered["name"] = message.name or ""
    return rendered


def thought_length(text: str) -> int:
    """Length of the thought that a text starts with; all of it while the thought lasts."""
    if not text.lstrip().startswith("<think>"):
        return 0
    end = text.find("</think>")
    return len(text) if end < 0 else end + len("</think>")


def visible_length(text: str) -> int:
    """How much of a growing text can be shown: nothing of a thought, nothing from a tool call on."""
    start = thought_length(text)
    call = text.find("<tool_call>", start)
    # What could still become the mark of a tool call is held back.
    held = max((n for n in range(1, 11) if text.endswith("<tool_call>"[:n])), default=0)
    return max(start, call if call >= 0 else len(text) - held)


def calls_chunk(message: AIMessage, metadata: dict[str, Any]) -> ChatGenerationChunk:
    """The last chunk of an answer: its tool calls and metadata."""
    chunks: list[Any] = [
        {
            "name": c["name"],
            "args": json.dumps(c["args"], ensure_ascii=False),
            "id": c["id"],
            "index": i,
            "type": "tool_call_chunk",
        }
        for i, c in enumerate(message.tool_calls)
    ]
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            tool_call_chunks=chunks,
            invalid_tool_calls=message.invalid_tool_calls,
            response_metadata=metadata,
        )
    )
