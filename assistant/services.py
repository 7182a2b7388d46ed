"""What tools need to run, built once and passed in: model sources, guidance, the team's documents, the evidence."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.evidence import EvidenceStore
from assistant.settings import Settings
from tools.file_facts import remember_in

if TYPE_CHECKING:
    from assistant.llm.pilot_chat import RouteModel
    from assistant.plan_store import PlanStore
    from assistant.team_documents.library import TeamDocuments
    from knowledge.search import GuidanceSearch
    from tools.profiling.executors import Executor


class Services:
    """Things that live as long as the assistant; heavy ones are built when first asked for.

    Args:
        settings: The settings.
        lasting: Whether several measurements may come, so that a process that keeps the libraries imported pays.
    """

    def __init__(self, settings: Settings, *, lasting: bool = False) -> None:
        self.settings = settings
        self._lasting = lasting
        remember_in(settings.home / "file-facts")
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
        from assistant.llm.route_views import minilm_folder  # noqa: PLC0415 (heavy import, only when needed)
        from knowledge.search import GuidanceSearch  # noqa: PLC0415 (as above)

        return GuidanceSearch(self.settings.index_folder, self.route_model.embedder, minilm=minilm_folder())

    def closest_entry(self, question: str) -> float:
        """The chance that the guidance's closest entry helps with a question; 0 when nothing is close, or it cannot be read."""
        from knowledge.errors import KnowledgeError  # noqa: PLC0415 (heavy import, only when needed)

        # Where it is asked for, the tool itself says what is wrong with it.
        with suppress(KnowledgeError):
            return max((passage.score for passage in self.search.search(question, limit=1).passages), default=0.0)
        return 0.0

    @property
    def team_documents(self) -> TeamDocuments:
        """The team's own documents."""
        with self._building:
            return self._team_documents

    @cached_property
    def _team_documents(self) -> TeamDocuments:
        from assistant.team_documents.library import TeamDocuments  # noqa: PLC0415 (heavy import, only when needed)

        folder = self.settings.index_folder / "documents"
        return TeamDocuments(self.settings.sql_url, lambda: self.route_model.embedder, folder)

    @cached_property
    def plans(self) -> PlanStore:
        """Versions of plans and the decisions about them."""
        from assistant.plan_store import PlanStore  # noqa: PLC0415 (only when needed)

        return PlanStore(self.settings.sql_url)

    @cached_property
    def executor(self) -> Executor:
        """Where measurements run."""
        if self.settings.executor == "ray":
            from tools.profiling.ray_executor import RayExecutor  # noqa: PLC0415 (only when needed)

            return RayExecutor(self.settings.ray_address)
        if self._lasting:
            from tools.profiling.fork_server import ForkServer  # noqa: PLC0415 (as above)

            return ForkServer()
        from tools.profiling.executors import FRESH_PROCESSES  # noqa: PLC0415 (as above)

        return FRESH_PROCESSES

    def close(self) -> None:
        """Release the database, and the processes that measurements run in."""
        if "executor" in self.__dict__:
            self.executor.close()
        if "plans" in self.__dict__:
            self.plans.close()
        if "_team_documents" in self.__dict__:
            self._team_documents.close()
        self.store.close()
