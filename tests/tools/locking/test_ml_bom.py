"""The bill of materials is valid CycloneDX 1.6, names what was locked, and carries the evidence."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tools.lock import read_lock
from tools.locking.ml_bom import bill_of_materials, write_bill
from tools.locking.records import Lock, LockedEvidence, LockedFile, LockedGate, LockedLicence, LockedModel

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = LockedFile(name="model.safetensors", size_bytes=2, sha256="ab" * 32)


def entry(**changes):
    fields = {
        "reference": "Org/Name", "commit": COMMIT, "source": "hub", "locked_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        "locked_by": "somebody", "safety": "accept", "files": (WEIGHTS,), "licence": LockedLicence(spdx="Apache-2.0"),
        "card_sha256": "cd" * 32,
    }  # fmt: skip
    return LockedModel(**fields | changes)


def component_of(model):
    bill = bill_of_materials(Lock(models=(model,)))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    (component,) = bill["components"]
    return component


def properties(component):
    return {each["name"]: each["value"] for each in component["properties"]}


def test_a_model_of_the_hub():
    component = component_of(entry())
    assert (component["type"], component["group"], component["name"], component["version"]) == (
        "machine-learning-model", "Org", "Name", COMMIT,
    )  # fmt: skip
    purl = PackageURL.from_string(component["purl"])
    assert (purl.type, purl.namespace, purl.name, purl.version) == ("huggingface", "Org", "Name", COMMIT)
    assert component["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert component["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert [each["name"] for each in component["components"]] == ["model.safetensors"]
    assert {each["type"] for each in component["externalReferences"]} == {"distribution", "model-card"}
    assert all(COMMIT in each["url"] for each in component["externalReferences"])


def test_evidence_and_its_figures_are_carried():
    profile = LockedEvidence(
        id="E7", tool="profile_model", made_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC), machine="here",
        found=({"batch_size": 8, "dtype": "float32", "latency_p50_ms": 12.5},),
    )  # fmt: skip
    gate = LockedGate(code="latency", state="passed", value="12.5 ms", threshold="50 ms", evidence="E7")
    component = component_of(entry(evidence=(profile,), gates=(gate,), advisories=("CVE-2030-1",)))
    assert properties(component)["tameshi:evidence:E7"].startswith("profile_model 2026-11-01")
    assert properties(component)["tameshi:gate:latency"] == "passed 12.5 ms E7"
    (metric,) = component["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metric == {
        "type": "latency_p50_ms",
        "value": "12.5",
        "slice": "E7, profile_model, dtype=float32, batch_size=8",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "./models/mine", "commit": "folder-0123456789ab", "source": "folder"},
        {"commit": "folder-0123456789ab", "source": "mirror"},
        {"reference": "gpt2"},
        {"licence": LockedLicence(spdx="LicenseRef-Llama-3", tag="llama3")},
        {"licence": LockedLicence(tag="<script>`own terms`")},
        {"licence": LockedLicence()},
        {"files": (WEIGHTS, LockedFile(name="a b/#?é漢.json", size_bytes=0, sha256="ab" * 32))},
        {"locked_by": "Å \u202e <b>"},
        {"evidence": (LockedEvidence(id="E1", tool="estimate_memory", made_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), machine="x",
                                     found=({"total_mib": 1e300, "fits": True},)),)},
    ],
    ids=str,
)  # fmt: skip
def test_every_kind_of_entry_gives_a_valid_bill(changes):
    component = component_of(entry(**changes))
    has_revision = "purl" in component and PackageURL.from_string(component["purl"]).version is not None
    assert has_revision == (not str(changes.get("commit", "")).startswith("folder-"))


def test_the_same_lock_makes_the_same_bill():
    lock = Lock(models=(entry(), entry(reference="org/other")))
    assert bill_of_materials(lock) == bill_of_materials(lock)
    other = bill_of_materials(Lock(models=lock.models[:1]))
    assert other["serialNumber"] != bill_of_materials(lock)["serialNumber"]


def test_an_empty_lock_makes_a_valid_bill():
    bill = bill_of_materials(Lock())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_the_bundled_model_is_exported_and_read_back(locked, offline, lock_path, tmp_path):
    locked("all-MiniLM-L6-v2", offline)
    write_bill(bill_of_materials(read_lock(lock_path)), tmp_path / "bom.json")
    text = (tmp_path / "bom.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    card = json.loads(text)["components"][0]["modelCard"]
    assert card["modelParameters"] == {"architectureFamily": "bert", "modelArchitecture": "BertModel"}
