"""Evidence: every tool's record, stored with id, time, machine and snapshot, and owned by a user."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

_METADATA = sa.MetaData()
_EVIDENCE = sa.Table(
    "evidence",
    _METADATA,
    sa.Column("user", sa.String(200), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("conversation", sa.String(200), nullable=False),
    sa.Column("tool", sa.String(60), nullable=False),
    sa.Column("model", sa.String(500), nullable=False, default=""),
    sa.Column("commit", sa.String(80), nullable=False, default=""),
    sa.Column("arguments", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("machine", sa.String(200), nullable=False),
    sa.Column("created_at", sa.String(40), nullable=False),
)
_TURNS = sa.Table(
    "turns",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("user", sa.String(200), nullable=False, index=True),
    sa.Column("conversation", sa.String(200), nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("tools", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(40), nullable=False),
)
_CONSENTS = sa.Table(
    "consents",
    _METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("user", sa.String(200), nullable=False, index=True),
    sa.Column("conversation", sa.String(200), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(40), nullable=False),
)
_DERIVED = frozenset({"estimate_cost", "plan_adoption"})
"""Tools whose commit is that of older evidence."""


class Evidence(BaseModel):
    """One stored record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """`E` and a number, unique for a user."""
    tool: str
    """The tool that made it."""
    model: str
    """Canonical model reference, or empty."""
    commit: str
    """Commit or content hash of the snapshot, or empty."""
    arguments: dict[str, Any]
    """What the tool was called with."""
    record: dict[str, Any]
    """The record as JSON."""
    machine: str
    """Where it was made."""
    created_at: dt.datetime
    """When it was made, UTC."""


class Turn(BaseModel):
    """One question with its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    answer: str
    tools: tuple[str, ...]
    """Tools that the turn used, in order."""


class PendingConsent(BaseModel):
    """A turn that waits for its user's consent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    user: str
    conversation: str
    state: dict[str, Any]
    """What the turn needs to go on, as JSON."""


class EvidenceStore:
    """The SQL database of evidence, conversations and pending consents.

    Every read and write names the user in the query itself.

    Args:
        url: SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self.set_aside: Path | None = None
        self._engine = self._open(url)

    def _open(self, url: str) -> sa.Engine:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
            engine = sa.create_engine(url)
            _METADATA.create_all(engine)
            return engine
        path = Path(parsed.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _open_sqlite(url)
        except DatabaseError:
            # A damaged file is kept for rescue, and the application starts with a new one.
            stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
            self.set_aside = path.with_name(f"{path.name}.damaged-{stamp}")
            path.rename(self.set_aside)
            return _open_sqlite(url)

    def add(self, record: BaseModel, *, user: str, conversation: str, tool: str, arguments: dict[str, Any]) -> Evidence:
        """Store a record and return it with its id."""
        payload = record.model_dump(mode="json")
        row: dict[str, Any] = {
            "user": user,
            "conversation": conversation,
            "tool": tool,
            "model": str(payload.get("model") or ""),
            "commit": str(payload.get("commit") or ""),
            "arguments": json.dumps(arguments, ensure_ascii=False),
            "record": json.dumps(payload, ensure_ascii=False),
            "machine": machine_name(),
            "created_at": dt.datetime.now(dt.UTC).isoformat(),
        }
        with self._engine.begin() as connection:
            last = connection.scalar(sa.select(sa.func.max(_EVIDENCE.c.number)).where(_EVIDENCE.c.user == user))
            row["number"] = (last or 0) + 1
            connection.execute(_EVIDENCE.insert().values(**row))
        return _as_evidence(row)

    def get(self, evidence_id: str, *, user: str) -> Evidence | None:
        """The user's evidence of that id, or None."""
        if not (evidence_id.startswith("E") and evidence_id[1:].isdigit()):
            return None
        query = sa.select(_EVIDENCE).where(_EVIDENCE.c.user == user, _EVIDENCE.c.number == int(evidence_id[1:]))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return _as_evidence(row) if row else None

    def find(
        self, *, user: str, model: str = "", tool: str = "", conversation: str = "", limit: int = 200
    ) -> list[Evidence]:
        """The user's evidence, newest first."""
        query = sa.select(_EVIDENCE).where(_EVIDENCE.c.user == user)
        for column, value in (("model", model), ("tool", tool), ("conversation", conversation)):
            if value:
                query = query.where(_EVIDENCE.c[column] == value)
        query = query.order_by(_EVIDENCE.c.number.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_as_evidence(row) for row in connection.execute(query).mappings()]

    def models(self, *, user: str, conversation: str = "") -> list[str]:
        """Model references in the user's evidence, the latest first."""
        found = [e.model for e in self.find(user=user, conversation=conversation) if e.model]
        return list(dict.fromkeys(found))

    def add_turn(self, turn: Turn, *, user: str, conversation: str) -> None:
        """Store a finished turn."""
        with self._engine.begin() as connection:
            connection.execute(
                _TURNS.insert().values(
                    user=user,
                    conversation=conversation,
                    question=turn.question,
                    answer=turn.answer,
                    tools=json.dumps(turn.tools),
                    created_at=dt.datetime.now(dt.UTC).isoformat(),
                )
            )

    def turns(self, *, user: str, conversation: str) -> list[Turn]:
        """The conversation's turns, oldest first; empty for another user's conversation."""
        query = (
            sa.select(_TURNS).where(_TURNS.c.user == user, _TURNS.c.conversation == conversation).order_by(_TURNS.c.id)
        )
        with self._engine.connect() as connection:
            return [
                Turn(question=row["question"], answer=row["answer"], tools=tuple(json.loads(row["tools"])))
                for row in connection.execute(query).mappings()
            ]

    def hold_consent(self, consent: PendingConsent) -> None:
        """Keep a turn that waits, beyond the end of this process."""
        row = consent.model_dump() | {"state": json.dumps(consent.state, ensure_ascii=False)}
        with self._engine.begin() as connection:
            connection.execute(_CONSENTS.insert().values(**row, created_at=dt.datetime.now(dt.UTC).isoformat()))

    def take_consent(self, id: str, *, user: str | None) -> PendingConsent | None:
        """Take the waiting turn out; of two answers to the same question the first gets it.

        Args:
            id: The consent's id.
            user: Whose turn it must be; without it the id, told to its turn's reader only, is enough.
        """
        theirs = _CONSENTS.c.id == id if user is None else sa.and_(_CONSENTS.c.id == id, _CONSENTS.c.user == user)
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(_CONSENTS).where(theirs)).mappings().first()
            if row is None or connection.execute(_CONSENTS.delete().where(theirs)).rowcount != 1:
                return None
        return PendingConsent(
            id=row["id"], user=row["user"], conversation=row["conversation"], state=json.loads(row["state"])
        )

    def withdraw_consents(self, *, user: str, conversation: str) -> None:
        """Forget what waits in a conversation that goes on with another question."""
        theirs = sa.and_(_CONSENTS.c.user == user, _CONSENTS.c.conversation == conversation)
        with self._engine.begin() as connection:
            connection.execute(_CONSENTS.delete().where(theirs))

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()


def machine_name() -> str:
    """A name for this machine that says what a measurement depends on, without its host name."""
    digest = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    return f"{platform.system()}-{platform.machine()}-{digest}"


def _open_sqlite(url: str) -> sa.Engine:
    # One connection per use: SQLite connections do not like to wander between the web server's threads.
    engine = sa.create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # Without this, the driver starts a transaction too late for "read the last number, then insert".
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "connect")
    def _manual_transactions(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    with engine.connect() as connection:
        if connection.exec_driver_sql("PRAGMA quick_check").scalar() != "ok":
            raise DatabaseError("PRAGMA quick_check", None, Exception("the database file is damaged"))
    _METADATA.create_all(engine)
    return engine


def _as_evidence(row: Any) -> Evidence:
    return Evidence(
        id=f"E{row['number']}",
        tool=row["tool"],
        model=row["model"],
        commit=row["commit"],
        arguments=json.loads(row["arguments"]),
        record=json.loads(row["record"]),
        machine=row["machine"],
        created_at=dt.datetime.fromisoformat(row["created_at"]),
    )


def latest(evidence: Sequence[Evidence], tool: str) -> Evidence | None:
    """The newest of `evidence` (newest first) that `tool` made."""
    return next((e for e in evidence if e.tool == tool), None)


def of_present_commit(evidence: Sequence[Evidence]) -> list[Evidence]:
    """What was found in a model's present commit: the one that a tool looked at last.

    What was found in another version says nothing about this one.

    Args:
        evidence: Evidence about one model, newest first.
    """
    present = next((e.commit for e in evidence if e.commit and e.tool not in _DERIVED), "")
    return [e for e in evidence if e.commit in {"", present}]
