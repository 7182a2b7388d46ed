"""A harmless pickle to find, and the checks that an inspection refused or flagged a folder by a rule."""

from __future__ import annotations

import pickle

from tools.file_safety import inspect_files


class Harmless:
    def __reduce__(self):
        return (print, ("unpickled",))


PICKLED = pickle.dumps(Harmless(), 4)


def inspect(folder, offline):
    return inspect_files(str(folder), sources=offline)


def rules(inspection, *severities):
    return {finding.rule for finding in inspection.findings if not severities or finding.severity in severities}


def refused(folder, offline, rule):
    inspection = inspect(folder, offline)
    assert inspection.verdict == "refuse", inspection.findings
    assert rule in rules(inspection, "refuse"), inspection.findings
    for finding in inspection.findings:
        assert finding.next_step
        assert finding.found.isprintable()
        assert finding.file.isprintable()
    return inspection


def flagged(folder, offline, rule):
    inspection = inspect(folder, offline)
    assert inspection.verdict == "flag", inspection.findings
    assert rule in rules(inspection, "flag"), inspection.findings
    return inspection
