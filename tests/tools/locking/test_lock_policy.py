"""Each rule of a policy passes, fails or cannot be checked; unknown ones are refused with the nearest name."""

from __future__ import annotations

import datetime as dt

import pytest

from tools.advisories import Advisory
from tools.errors import InvalidLock
from tools.locking.check import check_lock
from tools.locking.policy import Policy, apply_policy, read_policy
from tools.locking.records import Lock, LockedEvidence, LockedFile, LockedLicence, LockedModel, LockedPart

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def evidence(tool="profile_model", days=10, number=1):
    return LockedEvidence(id=f"E{number}", tool=tool, made_at=NOW - dt.timedelta(days=days), machine="here")


def entry(**changes):
    fields = {
        "reference": f"org/name@{COMMIT}", "commit": COMMIT, "source": "hub", "locked_at": NOW, "locked_by": "somebody",
        "safety": "accept", "files": (LockedFile(name="model.safetensors", size_bytes=2, sha256="ab" * 32),),
        "licence": LockedLicence(spdx="Apache-2.0"), "documentation_score": 0.5, "forecast_memory_mib": 500.0,
        "evidence": (evidence(),),
    }  # fmt: skip
    return LockedModel(**fields | changes)


def advisory(id="CVE-2030-1", affected=True):
    return Advisory(
        id=id, package="torch", installed="2.0", affected=affected, file="x", reason="r", fixed_in=None, next_step="s"
    )


BASE = LockedPart(role="base_model", name="org/base", spdx="CC-BY-NC-4.0")
PICKLE = LockedFile(name="pytorch_model.BIN", size_bytes=2, sha256="ab" * 32)
NO_WEIGHTS = LockedFile(name="config.json", size_bytes=2, sha256="ab" * 32)


@pytest.mark.parametrize(
    ("rules", "model", "reached", "outcome"),
    [
        ({"licences": ("apache-2.0", "MIT")}, {}, (), "passed"),
        ({"licences": ("MIT",)}, {}, (), "failed"),
        ({"licences": ()}, {}, (), "failed"),
        ({"licences": ("MIT",)}, {"licence": LockedLicence(spdx="MIT", tag="cc-by-nc-4.0", agreement="differs")}, (), "failed"),
        ({"licences": ("MIT",)}, {"licence": LockedLicence(spdx="MIT", lineage=(BASE,))}, (), "failed"),
        ({"licences": ("MIT", "CC-BY-NC-4.0")}, {"licence": LockedLicence(spdx="MIT", lineage=(BASE,))}, (), "passed"),
        ({"licences": ("MIT",)}, {"licence": LockedLicence(tag="own")}, (), "not_checkable"),
        ({"formats": ("safetensors",)}, {}, (), "passed"),
        ({"formats": ("safetensors",)}, {"files": (PICKLE,)}, (), "failed"),
        ({"formats": ("safetensors",)}, {"files": (NO_WEIGHTS,)}, (), "not_checkable"),
        ({"minimum_documentation_score": 0.5}, {}, (), "passed"),
        ({"minimum_documentation_score": 0.51}, {}, (), "failed"),
        ({"minimum_documentation_score": 0.5}, {"documentation_score": None}, (), "not_checkable"),
        ({"allowed_advisories": ()}, {}, (), "passed"),
        ({"allowed_advisories": ()}, {}, (advisory(),), "failed"),
        ({"allowed_advisories": ("CVE-2030-1",)}, {}, (advisory(),), "passed"),
        ({"allowed_advisories": ()}, {}, (advisory(affected=False), advisory(affected=None)), "passed"),
        ({"allowed_advisories": ()}, {}, None, "not_checkable"),
        ({"allowed_advisories": ()}, {"advisories": ("CVE-2030-1",)}, None, "failed"),
        ({"largest_memory_mib": 500.0}, {}, (), "passed"),
        ({"largest_memory_mib": 499.9}, {}, (), "failed"),
        ({"largest_memory_mib": 499.9}, {"forecast_memory_mib": None}, (), "not_checkable"),
        ({"require_pinned": True}, {}, (), "passed"),
        ({"require_pinned": True}, {"reference": "org/name"}, (), "failed"),
        ({"require_pinned": True}, {"reference": "org/name@v1"}, (), "failed"),
        ({"require_pinned": True}, {"reference": "./name"}, (), "passed"),
        ({"require_evidence": ("profile_model",)}, {}, (), "passed"),
        ({"require_evidence": ("profile-model", "observe_behavior")}, {}, (), "failed"),
        ({"maximum_evidence_age_days": 10.0}, {}, (), "passed"),
        ({"maximum_evidence_age_days": 9.0}, {}, (), "failed"),
        ({"maximum_evidence_age_days": 9.0}, {"evidence": (evidence(days=1), evidence(days=20, number=2))}, (), "failed"),
        ({"maximum_evidence_age_days": 9.0}, {"evidence": ()}, (), "not_checkable"),
        ({"maximum_evidence_age_days": 9.0}, {"evidence": (evidence(days=-30),)}, (), "not_checkable"),
    ],
)  # fmt: skip
def test_every_rule(rules, model, reached, outcome):
    (result,) = apply_policy(Policy(**rules), entry(**model), advisories=reached, now=NOW)
    assert (result.rule, result.outcome) == (next(iter(rules)), outcome)
    assert result.holds == (outcome == "passed")
    assert result.found
    (result,) = apply_policy(Policy(**rules, not_checkable="passes"), entry(**model), advisories=reached, now=NOW)
    assert result.holds == (outcome != "failed")


def test_a_rule_that_is_absent_is_not_checked():
    assert apply_policy(Policy(require_pinned=False), entry(reference="org/name"), advisories=None, now=NOW) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('licenses = ["MIT"]', "Did you mean `licences`?"),
        ("minimum_documentation = 0.5", "Did you mean `minimum_documentation_score`?"),
        ("max_memory_mib = 5", "Did you mean `largest_memory_mib`?"),
        ("zzz = 5", "Known are"),
        ('licences = "MIT"', "`licences`"),
        ('formats = ["zip"]', "`formats.0`"),
        ("minimum_documentation_score = 1.5", "`minimum_documentation_score`"),
        ("largest_memory_mib = -1", "`largest_memory_mib`"),
        ("maximum_evidence_age_days = nan", "`maximum_evidence_age_days`"),
        ("require_pinned = 1", "`require_pinned`"),
        ('not_checkable = "ignore"', "`not_checkable`"),
        ("schema_version = 7", "newer than the 1 known"),
        ("licences = [", "is not valid TOML"),
    ],
)
def test_a_policy_that_is_not_of_the_schema_ends_in_a_sentence(tmp_path, text, says):
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(InvalidLock) as caught:
        read_policy(tmp_path / "policy.toml")
    assert says in str(caught.value)


def test_a_policy_is_read(tmp_path):
    (tmp_path / "policy.toml").write_text('licences = ["MIT"]\nlargest_memory_mib = 4096\nallowed_advisories = []\n')
    policy = read_policy(tmp_path / "policy.toml")
    assert policy == Policy(licences=("MIT",), largest_memory_mib=4096, allowed_advisories=())


def test_a_failed_rule_fails_the_check_of_a_model_that_did_not_drift(tiny_folder, locked, offline, lock_path):
    lock = Lock(models=(locked(str(tiny_folder), offline),))
    strict, lenient = Policy(licences=("MIT",)), Policy(licences=("Apache-2.0",), allowed_advisories=())
    assert check_lock(lock, lock_path, sources=offline, policy=lenient).verdict == "passed"
    found = check_lock(lock, lock_path, sources=offline, policy=strict)
    assert (found.verdict, found.models[0].state.state) == ("failed", "same")


def test_a_model_that_cannot_be_looked_at_fails_only_by_what_is_known(tiny_folder, locked, offline, lock_path):
    away = locked(str(tiny_folder), offline).model_copy(update={"reference": str(tiny_folder.with_name("away"))})
    lock = Lock(models=(away,))
    assert check_lock(lock, lock_path, sources=offline, policy=Policy(allowed_advisories=())).verdict == "unavailable"
    assert check_lock(lock, lock_path, sources=offline, policy=Policy(licences=("MIT",))).verdict == "failed"
