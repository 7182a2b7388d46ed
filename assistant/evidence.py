"""Evidence: every tool's record, stored with id, time, machine and snapshot, and owned by a user."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from assistant.database import Row, open_database

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS evidence (
        "user" VARCHAR(200) NOT NULL, number INTEGER NOT NULL, conversation VARCHAR(200) NOT NULL,
        tool VARCHAR(60) NOT NULL, model VARCHAR(500) NOT NULL, "commit" VARCHAR(80) NOT NULL,
        arguments TEXT NOT NULL, record TEXT NOT NULL, machine VARCHAR(200) NOT NULL,
        created_at VARCHAR(40) NOT NULL, PRIMARY KEY ("user", number))""",
    """CREATE TABLE IF NOT EXISTS turns (
        id {counter}, "user" VARCHAR(200) NOT NULL, conversation VARCHAR(200) NOT NULL,
        question TEXT NOT NULL, answer TEXT NOT NULL, tools TEXT NOT NULL, created_at VARCHAR(40) NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS ix_turns_user ON turns ("user")',
    "CREATE INDEX IF NOT EXISTS ix_turns_conversation ON turns (conversation)",
    """CREATE TABLE IF NOT EXISTS consents (
        id VARCHAR(40) NOT NULL PRIMARY KEY, "user" VARCHAR(200) NOT NULL, conversation VARCHAR(200) NOT NULL,
        state TEXT NOT NULL, created_at VARCHAR(40) NOT NULL)""",
    'CREATE INDEX IF NOT EXISTS ix_consents_user ON consents ("user")',
)
_CONSENT_OF_ANYBODY = "consents WHERE id = :id"
_CONSENT_OF_USER = 'consents WHERE id = :id AND "user" = :user'
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
        self._database, self.set_aside = open_database(url, _SCHEMA)

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
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f":{name}" for name in row)
        with self._database.transaction() as transaction:
            (last,) = transaction.rows('SELECT max(number) AS number FROM evidence WHERE "user" = :user', user=user)
            row["number"] = (last["number"] or 0) + 1
            transaction.change(f"INSERT INTO evidence ({names}, number) VALUES ({values}, :number)", **row)
        return _as_evidence(row)

    def get(self, evidence_id: str, *, user: str) -> Evidence | None:
        """The user's evidence of that id, or None."""
        if not (evidence_id.startswith("E") and evidence_id[1:].isdigit()):
            return None
        query = 'SELECT * FROM evidence WHERE "user" = :user AND number = :number'
        with self._database.transaction() as transaction:
            rows = transaction.rows(query, user=user, number=int(evidence_id[1:]))
        return _as_evidence(rows[0]) if rows else None

    def find(
        self, *, user: str, model: str = "", tool: str = "", conversation: str = "", limit: int = 200
    ) -> list[Evidence]:
        """The user's evidence, newest first."""
        given = {k: v for k, v in (("model", model), ("tool", tool), ("conversation", conversation)) if v}
        wanted = "".join(f" AND {name} = :{name}" for name in given)
        query = f'SELECT * FROM evidence WHERE "user" = :user{wanted} ORDER BY number DESC LIMIT :most'
        with self._database.transaction() as transaction:
            return [_as_evidence(row) for row in transaction.rows(query, user=user, most=limit, **given)]

    def models(self, *, user: str, conversation: str = "") -> list[str]:
        """Model references in the user's evidence, the latest first."""
        found = [e.model for e in self.find(user=user, conversation=conversation) if e.model]
        return list(dict.fromkeys(found))

    def add_turn(self, turn: Turn, *, user: str, conversation: str) -> None:
        """Store a finished turn."""
        row = {
            "user": user,
            "conversation": conversation,
            "question": turn.question,
            "answer": turn.answer,
            "tools": json.dumps(turn.tools),
            "created_at": dt.datetime.now(dt.UTC).isoformat(),
        }
        with self._database.transaction() as transaction:
            transaction.change(
                'INSERT INTO turns ("user", conversation, question, answer, tools, created_at) '
                "VALUES (:user, :conversation, :question, :answer, :tools, :created_at)",
                **row,
            )

    def turns(self, *, user: str, conversation: str) -> list[Turn]:
        """The conversation's turns, oldest first; empty for another user's conversation."""
        query = 'SELECT * FROM turns WHERE "user" = :user AND conversation = :conversation ORDER BY id'
        with self._database.transaction() as transaction:
            return [
                Turn(question=row["question"], answer=row["answer"], tools=tuple(json.loads(row["tools"])))
                for row in transaction.rows(query, user=user, conversation=conversation)
            ]

    def hold_consent(self, consent: PendingConsent) -> None:
        """Keep a turn that waits, beyond the end of this process."""
        row = consent.model_dump() | {"state": json.dumps(consent.state, ensure_ascii=False)}
        with self._database.transaction() as transaction:
            transaction.change(
                'INSERT INTO consents (id, "user", conversation, state, created_at) '
                "VALUES (:id, :user, :conversation, :state, :created_at)",
                **row,
                created_at=dt.datetime.now(dt.UTC).isoformat(),
            )

    def take_consent(self, id: str, *, user: str | None) -> PendingConsent | None:
        """Take the waiting turn out; of two answers to the same question the first gets it.

        Args:
            id: The consent's id.
            user: Whose turn it must be; without it the id, told to its turn's reader only, is enough.
        """
        theirs = _CONSENT_OF_ANYBODY if user is None else _CONSENT_OF_USER
        values = {"id": id} if user is None else {"id": id, "user": user}
        with self._database.transaction() as transaction:
            rows = transaction.rows(f"SELECT * FROM {theirs}", **values)
            if not rows or transaction.change(f"DELETE FROM {theirs}", **values) != 1:
                return None
        row = rows[0]
        return PendingConsent(
            id=row["id"], user=row["user"], conversation=row["conversation"], state=json.loads(row["state"])
        )

    def withdraw_consents(self, *, user: str, conversation: str) -> None:
        """Forget what waits in a conversation that goes on with another question."""
        with self._database.transaction() as transaction:
            transaction.change(
                'DELETE FROM consents WHERE "user" = :user AND conversation = :conversation',
                user=user,
                conversation=conversation,
            )

    def close(self) -> None:
        """Release the database."""
        self._database.close()


def machine_name() -> str:
    """A name for this machine that says what a measurement depends on, without its host name."""
    machine = os.uname()
    digest = hashlib.sha256(machine.nodename.encode()).hexdigest()[:8]
    return f"{machine.sysname}-{machine.machine}-{digest}"


def _as_evidence(row: Row) -> Evidence:
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
