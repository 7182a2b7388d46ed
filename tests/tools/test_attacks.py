"""Every planted attack ends in the verdict and for the reason that it must, and nothing that is sound is flagged."""

import re
from itertools import islice

import pytest

from tests.tools.attacks.around_weights import AROUND_WEIGHTS
from tests.tools.attacks.in_weights import IN_WEIGHTS
from tests.tools.attacks.sound import GOOD, saved_models, write_saved, write_sound
from tests.tools.attacks.wrong_loads import wrong_loads
from tools.file_safety import inspect_files

BAD = (*IN_WEIGHTS, *AROUND_WEIGHTS)
SAVED = {f"{row['type']}, {row['config']['architectures'][0]}": row for row in saved_models()}


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case.row} {case.name}")
def test_T01_to_T17_an_attack_is_found_for_its_own_reason_and_never_run(tmp_path, offline, case):
    folder, marker = tmp_path / "model", tmp_path / "marker"
    write_sound(folder)
    case.build(folder, marker)
    inspection = inspect_files(str(folder), sources=offline)
    assert inspection.verdict == case.verdict, inspection.findings
    assert case.reason in {each.rule for each in inspection.findings if each.severity == case.verdict}, (
        inspection.findings
    )
    assert not marker.exists()
    for finding in inspection.findings:
        assert finding.next_step
        assert finding.reason
        assert finding.found.isprintable()
        assert finding.file.isprintable()


@pytest.mark.parametrize("write", GOOD.values(), ids=GOOD)
def test_a_sound_model_of_any_form_is_accepted(tmp_path, offline, write):
    write(tmp_path / "model")
    inspection = inspect_files(str(tmp_path / "model"), sources=offline)
    assert (inspection.verdict, inspection.findings) == ("accept", ())


@pytest.mark.parametrize("row", SAVED.values(), ids=SAVED)
def test_T10_what_the_library_saved_itself_is_accepted(tmp_path, offline, row):
    write_saved(tmp_path / "model", row)
    inspection = inspect_files(str(tmp_path / "model"), sources=offline)
    assert (inspection.verdict, inspection.findings) == ("accept", ())


def test_T10_nearly_every_wrong_load_is_refused_from_headers_and_config_alone(tmp_path, offline):
    found = []
    for number, planted in enumerate(islice(wrong_loads(), 0, None, 5)):
        write_saved(tmp_path / str(number), planted.row)
        inspection = inspect_files(str(tmp_path / str(number)), sources=offline)
        found.append("T10" in {each.rule for each in inspection.findings if each.severity == "refuse"})
    assert len(found) > 200
    assert sum(found) / len(found) >= 0.94


def test_every_threat_of_a_file_is_planted_and_there_are_enough_of_both():
    assert {case.row for case in BAD} == {f"T{number:02}" for number in range(1, 18)}
    assert len({(case.row, case.name) for case in BAD}) == len(BAD) >= 80
    assert len(GOOD) >= 15
    assert len({row["type"] for row in SAVED.values()}) >= 40
    assert all(re.fullmatch(r"T\d\d", case.reason) for case in BAD)
