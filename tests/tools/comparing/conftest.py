"""Two folders that differ in the files a test names."""

from __future__ import annotations

import json

import pytest

from tools.comparing import compare_contents
from tools.file_safety.file_view import FolderView


@pytest.fixture
def differ(tmp_path, write, make_files):
    """The function that compares two small models; `old` and `new` replace files, with `__` for `.`, JSON from objects."""

    def compare(old, new):
        folders = []
        for position, files in enumerate((old, new)):
            content = {
                name: each if each is None or isinstance(each, bytes) else each.encode() if isinstance(each, str) else json.dumps(each).encode()
                for name, each in files.items()
            }  # fmt: skip
            folders.append(write(tmp_path / f"{position}", make_files(**content)))
        return compare_contents(*map(FolderView, folders))

    return compare


@pytest.fixture
def change_of(differ):
    """The function that compares two contents of one file and returns the only change."""

    def compare(name, old, new):
        (change,) = differ({name: old}, {name: new})
        return change

    return compare
