"""The SQL tables of plans and decisions: versions of a plan for one model and use, and how its stages were closed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import NamedTuple

from assistant.advice.decision_records import GateAtClosing, StageDecision
from assistant.database import Row, Transaction, open_database

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS plans (
        "user" VARCHAR(200) NOT NULL, model VARCHAR(500) NOT NULL, use_key VARCHAR(400) NOT NULL,
        version INTEGER NOT NULL, use_case TEXT NOT NULL, evidence VARCHAR(20) NOT NULL, verdict VARCHAR(30) NOT NULL,
        created_at VARCHAR(40) NOT NULL, PRIMARY KEY ("user", model, use_key, version))""",
    """CREATE TABLE IF NOT EXISTS decisions (
        "user" VARCHAR(200) NOT NULL, number INTEGER NOT NULL, model VARCHAR(500) NOT NULL, use_key VARCHAR(400) NOT NULL,
        "commit" VARCHAR(80) NOT NULL, use_case TEXT NOT NULL, plan_version INTEGER NOT NULL,
        plan_evidence VARCHAR(20) NOT NULL, stage VARCHAR(30) NOT NULL, decision VARCHAR(10) NOT NULL,
        verdict VARCHAR(30) NOT NULL, decided_by TEXT NOT NULL, note TEXT NOT NULL, reason TEXT NOT NULL,
        gates TEXT NOT NULL, decided_at VARCHAR(40) NOT NULL, PRIMARY KEY ("user", number))""",
)
_LONGEST_KEY = 400


class PlanKey(NamedTuple):
    """What versions of a plan have in common."""

    user: str
    model: str
    use_key: str
    """The use in a form that does not depend on how a question was put."""


class StoredPlan(NamedTuple):
    """A version of a plan; the plan itself is evidence."""

    key: PlanKey
    version: int
    use_case: str
    evidence: str
    """Evidence id of the plan."""
    verdict: str
    created_at: dt.datetime


class PlanStore:
    """Versions of plans and the decisions about them; every read and write names the user.

    Args:
        url: SQLAlchemy URL; the database of the evidence.
    """

    def __init__(self, url: str) -> None:
        self._database, _ = open_database(url, _SCHEMA)

    def add(self, key: PlanKey, use_case: str, make: Callable[[int], tuple[str, str]]) -> int:
        """Store the next version of a plan.

        Args:
            key: Whose plan, for which model and use.
            use_case: The use in the user's words.
            make: Given the version's number, stores the plan and returns its evidence id and verdict.

        Returns:
            The number of the version.
        """
        version = self._reserve(key, use_case)
        try:
            evidence, verdict = make(version)
        except BaseException:
            with self._database.transaction() as transaction:
                transaction.change(f"DELETE FROM plans WHERE {_OF_VERSION}", **_named(key), version=version)
            raise
        with self._database.transaction() as transaction:
            transaction.change(
                f"UPDATE plans SET evidence = :evidence, verdict = :verdict WHERE {_OF_VERSION}",
                **_named(key),
                version=version,
                evidence=evidence,
                verdict=verdict,
            )
        return version

    def _reserve(self, key: PlanKey, use_case: str) -> int:
        """Take the next number, so that no other process gives it out."""
        row = {
            **_named(key),
            "use_case": use_case,
            "evidence": "",
            "verdict": "",
            "created_at": dt.datetime.now(dt.UTC).isoformat(),
        }
        with self._database.transaction() as transaction:
            (last,) = transaction.rows(f"SELECT max(version) AS version FROM plans WHERE {_OF_KEY}", **_named(key))
            version = (last["version"] or 0) + 1
            transaction.change(
                'INSERT INTO plans ("user", model, use_key, version, use_case, evidence, verdict, created_at) '
                "VALUES (:user, :model, :use_key, :version, :use_case, :evidence, :verdict, :created_at)",
                **row,
                version=version,
            )
        return version

    def versions(self, user: str, model: str = "", use_key: str | None = None) -> list[StoredPlan]:
        """The user's plans, the latest first; those that were not finished are left out."""
        wanted = {"user": user, **({"model": model} if model else {})}
        wanted |= {"use_key": use_key} if use_key is not None else {}
        where = " AND ".join(f'"{name}" = :{name}' for name in wanted)
        query = f"SELECT * FROM plans WHERE {where} AND evidence <> '' ORDER BY created_at DESC, version DESC"
        with self._database.transaction() as transaction:
            return [_as_plan(row) for row in transaction.rows(query, **wanted)]

    def decide(self, key: PlanKey, decision: StageDecision) -> StageDecision:
        """Store a decision and return it with its id."""
        row = {
            **_named(key),
            "commit": decision.commit,
            "use_case": decision.use_case,
            "plan_version": decision.plan_version,
            "plan_evidence": decision.plan_evidence,
            "stage": decision.stage,
            "decision": decision.decision,
            "verdict": decision.verdict,
            "decided_by": decision.by,
            "note": decision.note,
            "reason": decision.reason,
            "gates": json.dumps([gate.model_dump() for gate in decision.gates], ensure_ascii=False),
            "decided_at": decision.decided_at.isoformat(),
        }
        names, values = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
        with self._database.transaction() as transaction:
            number = _next_number(transaction, key.user)
            transaction.change(
                f"INSERT INTO decisions ({names}, number) VALUES ({values}, :number)", **row, number=number
            )
        return decision.model_copy(update={"id": f"K{number}"})

    def decisions(self, user: str, model: str = "", use_key: str | None = None) -> list[StageDecision]:
        """The user's decisions, oldest first."""
        wanted = {"user": user, **({"model": model} if model else {})}
        wanted |= {"use_key": use_key} if use_key is not None else {}
        where = " AND ".join(f'"{name}" = :{name}' for name in wanted)
        with self._database.transaction() as transaction:
            rows = transaction.rows(f"SELECT * FROM decisions WHERE {where} ORDER BY number", **wanted)
            return [_as_decision(row) for row in rows]

    def close(self) -> None:
        """Release the database."""
        self._database.close()


_OF_KEY = '"user" = :user AND model = :model AND use_key = :use_key'
_OF_VERSION = f"{_OF_KEY} AND version = :version"


def _named(key: PlanKey) -> dict[str, str]:
    return {"user": key.user, "model": key.model, "use_key": key.use_key[:_LONGEST_KEY]}


def _next_number(transaction: Transaction, user: str) -> int:
    (last,) = transaction.rows('SELECT max(number) AS number FROM decisions WHERE "user" = :user', user=user)
    return (last["number"] or 0) + 1


def _as_plan(row: Row) -> StoredPlan:
    return StoredPlan(
        PlanKey(row["user"], row["model"], row["use_key"]),
        row["version"],
        row["use_case"],
        row["evidence"],
        row["verdict"],
        dt.datetime.fromisoformat(row["created_at"]),
    )


def _as_decision(row: Row) -> StageDecision:
    return StageDecision(
        id=f"K{row['number']}",
        model=row["model"],
        commit=row["commit"],
        use_case=row["use_case"],
        plan_version=row["plan_version"],
        plan_evidence=row["plan_evidence"],
        stage=row["stage"],
        decision=row["decision"],
        verdict=row["verdict"],
        by=row["decided_by"],
        note=row["note"],
        reason=row["reason"],
        gates=tuple(GateAtClosing.model_validate(gate) for gate in json.loads(row["gates"])),
        decided_at=dt.datetime.fromisoformat(row["decided_at"]),
    )
