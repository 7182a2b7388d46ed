"""One model under inspection: its files, their parsed JSON, and which of them a loader would use."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from tools.file_facts import parsed_of
from tools.file_safety.content import Content, recognise
from tools.file_safety.file_view import FileEntry, FileView
from tools.file_safety.gguf import GgufMetadata, read_gguf
from tools.strict_json import BadJson, parse_json

MAX_JSON_BYTES = 64_000_000
"""Larger JSON is not a config, an index or a tokenizer."""
MAX_CONFIG_BYTES = 2_000_000
"""Larger than any config that describes a model."""
PICKLE_SUFFIXES = (
    ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".npy", ".npz", ".mar", ".model.tar",
)  # fmt: skip
"""Suffixes that usually hold pickles; used for remote files that are not fetched, never to call a file safe."""
FOREIGN_SUFFIXES = (
    ".onnx", ".gguf", ".ggml", ".h5", ".hdf5", ".keras", ".nemo", ".msgpack", ".tflite", ".pb", ".mlmodel", ".ot", ".engine",
    ".pte",
)  # fmt: skip
"""Suffixes of other model formats."""
_REMOTE_LOOKED_INTO = 24
_NOT_LOOKED_INTO = Content("unread", "")
_WEIGHTS = re.compile(
    r"(?:model|pytorch_model|consolidated|adapter_model|diffusion_pytorch_model)?[^/]*\.safetensors\Z"
)


class Inspected:
    """The files of one model, with each file recognised and each JSON file parsed at most once; nobody changes what is shared."""

    def __init__(self, view: FileView) -> None:
        self.view = view
        self.plain: dict[str, FileEntry] = {entry.name: entry for entry in view.entries if entry.trouble is None}
        self._parsed: dict[str, Any] = {}
        self._contents: dict[str, Content] = {}
        self._gguf: dict[str, GgufMetadata] = {}
        self._requests = 0

    @property
    def weight_files(self) -> list[str]:
        """Safetensors files in the model's own folder."""
        return [name for name in self.plain if "/" not in name and _WEIGHTS.match(name)]

    def content(self, name: str) -> Content:
        """What a plain file is by its content; of kind `unread` where looking would cost a request that decides nothing."""
        if name not in self._contents:
            self._contents[name] = self._recognised(name)
        return self._contents[name]

    def gguf(self, name: str) -> GgufMetadata:
        """The metadata of a GGUF file, read at most once."""
        if name not in self._gguf:
            self._gguf[name] = read_gguf(partial(self.view.read, name), self.plain[name].size_bytes)
        return self._gguf[name]

    def _recognised(self, name: str) -> Content:
        if self.view.remote:
            if not name.lower().endswith((*PICKLE_SUFFIXES, *FOREIGN_SUFFIXES)):
                return _NOT_LOOKED_INTO
            self._requests += 1
            if self._requests > _REMOTE_LOOKED_INTO:
                return Content("pickle", "the name of a pickle; too many such files to look into")
        return recognise(self.view, name, self.plain[name].size_bytes)

    def json(self, name: str, max_bytes: int = MAX_JSON_BYTES) -> Any:
        """The parsed file, None when it is not there.

        Raises:
            BadJson: It is not acceptable JSON.
        """
        if name not in self.plain:
            return None
        if name not in self._parsed:
            parse = partial(self._read_json, name, max_bytes)
            size = self.plain[name].size_bytes
            self._parsed[name] = parsed_of(f"json-{max_bytes}", self.view.path(name), parse, lambda _: size)
        if isinstance(self._parsed[name], BadJson):
            raise self._parsed[name]
        return self._parsed[name]

    def object(self, name: str) -> dict[str, Any]:
        """The parsed file when it is a sound object, else an empty one; for rules that leave complaints to rule T09."""
        try:
            content = self.json(name)
        except BadJson:
            return {}
        return content if isinstance(content, dict) else {}

    def _read_json(self, name: str, max_bytes: int) -> Any:
        size_bytes = self.plain[name].size_bytes
        if size_bytes > max_bytes:
            return BadJson(f"has {size_bytes} bytes, more than {max_bytes}")
        try:
            return parse_json(self.view.read(name, 0, size_bytes), allow_non_finite=True)
        except BadJson as error:
            return error


def text_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a config that describes the language model: `text_config` of a multimodal one, else the config itself."""
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) else config
