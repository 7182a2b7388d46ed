"""Every setting in one place; the only module that reads environment variables."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.model_sources import ModelSources

_PREFIX = "TAMESHI_"


class Settings(BaseModel):
    """Settings, each also an environment variable `TAMESHI_<NAME>`; a list as JSON, folders also like a `PATH`.

    pydantic-settings does this too, and takes as long to import as half of the quickest command needs.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("tameshi", appauthor=False)))
    """Data folder: database, index, caches of our own."""
    database_url: str = ""
    """SQLAlchemy URL of the database; empty means SQLite in the data folder."""
    llm: str = "pilot"
    """`pilot`, a hub id or folder of a chat model, or the URL of an OpenAI-compatible server."""
    llm_model: str = ""
    """Model name to ask an OpenAI-compatible server for; empty takes the first it lists."""
    llm_api_key: str = Field(default="", repr=False)
    """Key for that server; never logged."""
    llm_timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """Longest wait for one answer of the LLM, in seconds."""
    mirrors: tuple[Path, ...] = ()
    """Folders that hold models as `org/name/`, used when the hub does not answer."""
    offline: bool = False
    """Never ask the hub; use its cache, the mirrors and folders."""
    licence_allow_list: tuple[str, ...] = ()
    """Licences that the team has allowed, as SPDX identifiers; empty makes no statement."""
    language: Literal["auto", "en", "ja"] = "auto"
    """Language of the answers; `auto` follows the question."""
    audience: Literal["auto", "manager", "engineer"] = "auto"
    """Who reads; `auto` judges by the tools that the question needed."""
    approve_above_gib: float = Field(default=2.0, ge=0)
    """Above this size a model is downloaded, and its weights loaded and run, only after consent, in GiB."""
    question_limit: int = Field(default=8_000, ge=100, le=100_000)
    """Longest question, in characters."""
    tool_calls_per_turn: int = Field(default=12, ge=1, le=50)
    """Most tool calls in one turn."""
    executor: Literal["local", "ray"] = "local"
    """Where measurements run: `local` on this machine, `ray` as tasks of a Ray cluster."""
    ray_address: str = ""
    """Address of the Ray cluster's head, or `auto` on one of its nodes; empty starts one on this machine."""
    host: str = "127.0.0.1"
    """Address that the web page listens on."""
    port: int = Field(default=7860, ge=0, le=65535)
    """Port that the web page listens on."""

    @model_validator(mode="before")
    @classmethod
    def _from_environment(cls, given: dict[str, Any]) -> dict[str, Any]:
        """What was not given is taken from the environment, where it is there and not empty."""
        there = {name.upper(): value for name, value in os.environ.items() if value.strip()}  # noqa: TID251 (this module may)
        read: dict[str, Any] = {
            name: there[key]
            for name in cls.model_fields
            if (key := _PREFIX + name.upper()) in there and name not in given
        }
        for name, separator in (("mirrors", os.pathsep), ("licence_allow_list", ",")):
            if name in read:
                written = read[name].strip()
                listed = json.loads(written) if written.startswith("[") else written.split(separator)
                read[name] = [each.strip() if isinstance(each, str) else each for each in listed if each]
        return read | given

    @property
    def index_folder(self) -> Path:
        """Where the Chroma index and the cached embeddings are kept."""
        return self.home / "index"

    @property
    def sql_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.home / 'tameshi.sqlite3'}"

    @cached_property
    def sources(self) -> ModelSources:
        """Where models come from, fixed at start."""
        return ModelSources(
            endpoint=os.environ.get("HF_ENDPOINT") or None,  # noqa: TID251 (this is the module that may)
            mirrors=self.mirrors,
            offline=self.offline or os.environ.get("HF_HUB_OFFLINE", "") in {"1", "true", "True"},  # noqa: TID251
        )
