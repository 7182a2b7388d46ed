"""What tools need to run, built once and passed in: model sources, the guidance search, the evidence store."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.evidence import EvidenceStore
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.llm.pilot_chat import RouteModel
    from knowledge.search import GuidanceSearch


class Services:
    """Things that live as long as the assistant; heavy ones are built when first asked for.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = EvidenceStore(settings.sql_url)
        self._building = threading.Lock()

    @cached_property
    def route_model(self) -> RouteModel:
        """Example utterances and the other two views of the pilot; its MiniLM is the one that the search uses."""
        from assistant.llm.pilot_chat import RouteModel  # noqa: PLC0415 (heavy import, only when needed)

        return RouteModel()

    @property
    def search(self) -> GuidanceSearch:
        """The guidance search; builds the index when it is missing or out of date."""
        with self._building:
            return self._search

    @cached_property
    def _search(self) -> GuidanceSearch:
        from knowledge.search import GuidanceSearch  # noqa: PLC0415 (heavy import, only when needed)

        return GuidanceSearch(self.settings.index_folder, self.route_model.embedder)

    def close(self) -> None:
        """Release the database."""
        self.store.close()
