"""One model under inspection: its files, their parsed JSON, and which of them a loader would use."""

from __future__ import annotations

import re
from typing import Any

from tools.file_safety.file_view import FileEntry, FileView
from tools.strict_json import BadJson, parse_json

MAX_JSON_BYTES = 64_000_000
"""Larger JSON is not a config, an index or a tokenizer."""
MAX_CONFIG_BYTES = 2_000_000
"""Larger than any config that describes a model."""
_WEIGHTS = re.compile(
    r"(?:model|pytorch_model|consolidated|adapter_model|diffusion_pytorch_model)?[^/]*\.safetensors\Z"
)


class Inspected:
    """The files of one model, with each JSON file parsed at most once."""

    def __init__(self, view: FileView) -> None:
        self.view = view
        self.plain: dict[str, FileEntry] = {entry.name: entry for entry in view.entries if entry.trouble is None}
        self._parsed: dict[str, Any] = {}

    @property
    def weight_files(self) -> list[str]:
        """Safetensors files in the model's own folder."""
        return [name for name in self.plain if "/" not in name and _WEIGHTS.match(name)]

    def json(self, name: str, max_bytes: int = MAX_JSON_BYTES) -> Any:
        """The parsed file, None when it is not there.

        Raises:
            BadJson: It is not acceptable JSON.
        """
        if name not in self.plain:
            return None
        if name not in self._parsed:
            self._parsed[name] = self._read_json(name, max_bytes)
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
