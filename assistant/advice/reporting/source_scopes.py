"""What the sources of the guidance looked at, in the reader's language."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

from assistant.languages import Language
from tools.file_facts import fact_of

_FILE = Path(__file__).with_name("scopes.toml")


def scope_in(scope: str, language: Language) -> str:
    """The scope of a source in that language; as it is where there is no translation.

    Args:
        scope: The English scope of a source.
        language: Language of the report.
    """
    return japanese_scopes().get(scope, scope) if language == "ja" else scope


@cache
def japanese_scopes() -> dict[str, str]:
    """Every translated scope by its English."""
    return fact_of("report_scopes", _FILE, partial(_read, _FILE))


def _read(file: Path) -> dict[str, str]:
    import tomllib  # noqa: PLC0415 (only when the file was changed)

    return tomllib.loads(file.read_text(encoding="utf-8"))
