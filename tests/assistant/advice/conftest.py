"""Evidence made of the tools' own record classes and stored in a real database, and plans and reports made from it."""

from __future__ import annotations

import datetime as dt
import functools

import pytest

from assistant.evidence import EvidenceStore
from tests.assistant.advice.plan_under_test import MODEL, TARGETS
from tools.cards.sections import CardSection
from tools.documentation import DocumentationCheck
from tools.file_safety.findings import FileInspection, Finding
from tools.license import LicenceFinding
from tools.memory import MemoryForecast, MemoryTerm
from tools.profiling.records import MemoryByKind, Profile, ProfileRun
from tools.snapshot import Snapshot
from tools.version import LibraryFit, VersionCheck

pytest.register_assert_rewrite("tests.assistant.advice.report_reading")

COMMIT = "a" * 40


def snapshot(model=MODEL, commit=COMMIT, **changes):
    fields = {"source": "hub", "root": "/models", "files": (), "total_bytes": 0, "safety": "accept"}
    return Snapshot(model=model, commit=commit, **fields | changes)


def inspection(verdict="accept", model=MODEL, commit=COMMIT, found="nothing"):
    finding = Finding(rule="T02", file="model.bin", found=found, next_step="Take another.", severity="refuse")
    return FileInspection(
        model=model,
        commit=commit,
        verdict=verdict,
        findings=(finding,) if verdict == "refuse" else (),
        files_checked=3,
        total_bytes=10,
        not_checked=(),
    )


def forecast(total_mib=500.0, model=MODEL, commit=COMMIT, parameters=1_000):
    return MemoryForecast(
        model=model,
        commit=commit,
        dtype="float32",
        batch_size=1,
        sequence_length=128,
        new_tokens=0,
        parameters=parameters,
        terms=(MemoryTerm(name="weights", mib=total_mib, formula="all of it", source="files"),),
        total_mib=total_mib,
        assumptions=(),
    )


def documentation(model=MODEL, commit=COMMIT, limitations="filled", score=0.5, **licence):
    fields = {
        "tag": "apache-2.0",
        "text_file": None,
        "spdx": "Apache-2.0",
        "agreement": "tag_only",
        "permissive": True,
        "note": "",
    }
    section = CardSection(name="Bias, risks and limitations", state=limitations, lines=(), line_numbers=())
    return DocumentationCheck(
        model=model,
        commit=commit,
        card_file="README.md",
        sections=(section,),
        claims=(),
        licence=LicenceFinding(**fields | licence),
        score=score,
        most_important_gap=None,
        not_checked=(),
    )


def measured(batch_size=1, p50=10.0, p95=12.0, throughput=100.0, **changes):
    """One run of a profile."""
    fields = {
        "sequence_length": 128,
        "dtype": "float32",
        "latency_p50_ms": p50,
        "latency_p95_ms": p95,
        "latency_min_ms": p50 and p50 / 2,
        "latency_max_ms": p95 and p95 * 2,
        "throughput_per_s": throughput,
        "repeats": 20,
        "peak_memory_mib": 600.0,
    }
    return ProfileRun(batch_size=batch_size, **fields | changes)


def failed(batch_size=64):
    """A run without figures."""
    return ProfileRun(batch_size=batch_size, sequence_length=128, dtype="float32", error="out of memory")


def profile(*runs, model=MODEL, commit=COMMIT, peak_memory_mib=640.0):
    return Profile(
        model=model,
        commit=commit,
        task="feature-extraction",
        device_name="CPU",
        device_kind="cpu",
        dtype="float32",
        threads=2,
        runs=runs or (measured(), measured(8, 40.0, 50.0, 200.0)),
        import_s=1.0,
        load_s=1.0,
        first_call_ms=30.0,
        memory=(MemoryByKind(kind="weights", mib=90.0),),
        peak_memory_mib=peak_memory_mib,
        forecast_total_mib=500.0,
        noise="quiet",
        noise_reason="1 %",
        conditions="two threads",
        not_checked=(),
        isolation=(),
        wall_s=9.0,
    )


def version(model=MODEL, commit=COMMIT, **changes):
    library = LibraryFit(written_with="5.0", installed="5.23.0", architecture_known=True, class_known=True, note="")
    fields = {
        "newest_commit": commit,
        "pinned": False,
        "behind": 0,
        "changes": (),
        "library": library,
        "lineage": (),
        "source": "hub",
        "advisories": (),
        "unknown": (),
    }
    return VersionCheck(model=model, commit=commit, **fields | changes)


class Records:
    """Builders of records; each takes what differs from a sound, small, measured model."""

    snapshot = staticmethod(snapshot)
    inspection = staticmethod(inspection)
    forecast = staticmethod(forecast)
    documentation = staticmethod(documentation)
    profile = staticmethod(profile)
    version = staticmethod(version)
    measured = staticmethod(measured)
    failed = staticmethod(failed)
    model = MODEL
    commit = COMMIT

    TOOLS = {
        Snapshot: "fetch_model",
        FileInspection: "inspect_files",
        MemoryForecast: "estimate_memory",
        DocumentationCheck: "check_documentation",
        Profile: "profile_model",
        VersionCheck: "check_version",
    }

    def sound(self, **replaced):
        """The records of a model about which everything is known; None leaves one out."""
        made = {
            "snapshot": snapshot(),
            "inspection": inspection(),
            "forecast": forecast(),
            "documentation": documentation(),
            "profile": profile(),
            "version": version(),
        }
        return [record for record in (made | replaced).values() if record is not None]


@pytest.fixture(scope="session")
def records():
    """Builders of records."""
    return Records()


@pytest.fixture
def store(tmp_path):
    """A real evidence store."""
    opened = EvidenceStore(f"sqlite:///{tmp_path / 'evidence.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def keep(store):
    """The function that stores a record and returns its evidence."""

    def add(record, tool="", **arguments):
        name = tool or Records.TOOLS[type(record)]
        return store.add(record, user="u", conversation="c", tool=name, arguments=arguments)

    return add


@pytest.fixture
def evidence_of(store, keep):
    """The function that stores records in order and returns the user's evidence, newest first."""

    def stored(*given, model=""):
        for record in given:
            keep(record)
        return store.find(user="u", model=model)

    return stored


@pytest.fixture
def priced(store, keep):
    """The function that works out a cost from the stored profile and stores it too."""
    from assistant.advice.cost import estimate_cost

    def price(requests=10_000.0, price=1.0, currency="USD"):
        work_out = functools.partial(estimate_cost, MODEL, requests, price, currency)
        return keep(work_out(evidence=store.find(user="u", model=MODEL)), "estimate_cost")

    return price


@pytest.fixture
def profiled(evidence_of, records):
    """Evidence of a profile whose best throughput is 200 texts a second."""
    return evidence_of(records.profile())


@pytest.fixture
def plan_of(evidence_of, store, priced):
    """The function that stores records, works out the cost when asked, and plans."""
    from assistant.advice.plan import plan_adoption

    def plan(*given, cost=True, **targets):
        evidence_of(*given)
        if cost:
            priced()
        return plan_adoption(MODEL, "sorting mail", targets, evidence=store.find(user="u", model=MODEL))

    return plan


@pytest.fixture
def planned(evidence_of, records, priced, keep, store):
    """The function that gives a stored plan and the evidence, newest first."""
    from assistant.advice.plan import plan_adoption

    def make(
        use_case="sorting mail", *, cost=True, passages=(), decisions=(), previous=None, targets=TARGETS, **replaced
    ):
        evidence_of(*records.sound(**replaced))
        if cost:
            priced()
        plan = plan_adoption(
            MODEL, use_case, targets, evidence=store.find(user="u"), passages=passages, decisions=decisions, previous=previous,
            version=2 if previous else 1, today=dt.date(2026, 11, 2),
        )  # fmt: skip
        keep(plan, "plan_adoption")
        return plan, store.find(user="u")

    return make


@pytest.fixture
def write(planned, tmp_path):
    """The function that writes the report of a plan and returns its text."""
    from assistant.advice.report import write_report

    def call(ending, language="en", *, audience="manager", chosen=None, told=(), **changes):
        plan, evidence = planned(decisions=told, **changes)
        out = tmp_path / f"plan{ending}"
        write_report(plan, evidence, out, language, audience=audience, decisions=told, chosen=chosen)
        return out.read_text(encoding="utf-8")

    return call
