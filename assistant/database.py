"""The SQL database: a SQLite file opened by Python's own driver, every other one through SQLAlchemy.

Both run the same statements. SQLAlchemy takes nearly as long to import as the quickest command may last, and a file on
this machine needs nothing of it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import sqlalchemy as sa

_FILE = "sqlite:///"
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000")

Row = Mapping[str, Any]


class Transaction(Protocol):
    """Statements that take effect together; `:name` in a statement stands for a value."""

    def rows(self, statement: str, **values: Any) -> Sequence[Row]:
        """What a query finds."""
        ...

    def change(self, statement: str, **values: Any) -> int:
        """Run a statement that writes; the number of rows it changed."""
        ...


class Database(Protocol):
    """A database that is open."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin; committed at the end of the block, rolled back when it raises."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


def open_database(url: str, schema: Sequence[str]) -> tuple[Database, Path | None]:
    """Open a database and make its tables where they are missing.

    Args:
        url: SQLAlchemy URL.
        schema: Statements that make the tables; `{counter}` stands for a primary key that counts by itself, `{binary}`
            for the type of bytes.

    Returns:
        The database, and where a damaged file of it was set aside.
    """
    path = _file_of(url)
    if path is None:
        return _Server(url, schema), None
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _SqliteFile(path, schema), None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # it cannot be opened or is locked, which says nothing against its content
        # A damaged file is kept for rescue, and the application starts with a new one.
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
        set_aside = path.with_name(f"{path.name}.damaged-{stamp}")
        path.rename(set_aside)
        return _SqliteFile(path, schema), set_aside


def _file_of(url: str) -> Path | None:
    """The file of a plain SQLite URL; None for anything else, options included."""
    name = url.removeprefix(_FILE)
    return Path(name) if url.startswith(_FILE) and name not in {"", ":memory:"} and "?" not in name else None


class _SqliteFile:
    """A SQLite file. One connection per use: they do not like to wander between the web server's threads.

    One more stays open, since whichever is closed last moves the journal into the file, which takes longer than a use.
    """

    def __init__(self, path: Path, schema: Sequence[str]) -> None:
        self._path = path
        self._open = self._connect()
        try:
            if self._open.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the database file is damaged")
            for statement in schema:
                self._open.execute(statement.format(counter="INTEGER NOT NULL PRIMARY KEY", binary="BLOB"))
        except BaseException:
            self._open.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[_SqliteTransaction]:
        with contextlib.closing(self._connect()) as connection:
            # Not the driver's own begin, which comes too late for "read the last number, then insert".
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _SqliteTransaction(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        self._open.close()


class _SqliteTransaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, **values: Any) -> Sequence[Row]:
        return [dict(row) for row in self._connection.execute(statement, values)]

    def change(self, statement: str, **values: Any) -> int:
        return self._connection.execute(statement, values).rowcount


class _Server:
    """Any database that SQLAlchemy reaches."""

    def __init__(self, url: str, schema: Sequence[str]) -> None:
        import sqlalchemy  # noqa: PLC0415 (heavy import, only when needed)

        self._engine = sqlalchemy.create_engine(url)
        counter, binary = "INTEGER NOT NULL PRIMARY KEY", "BLOB"
        if self._engine.dialect.name != "sqlite":
            counter, binary = "INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "BYTEA"
        with self.transaction() as transaction:
            for statement in schema:
                transaction.change(statement.format(counter=counter, binary=binary))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[_ServerTransaction]:
        with self._engine.begin() as connection:
            yield _ServerTransaction(connection)

    def close(self) -> None:
        self._engine.dispose()


class _ServerTransaction:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, **values: Any) -> Sequence[Row]:
        return [dict(row) for row in self._run(statement, values).mappings()]

    def change(self, statement: str, **values: Any) -> int:
        return self._run(statement, values).rowcount

    def _run(self, statement: str, values: dict[str, Any]) -> sa.CursorResult[Any]:
        import sqlalchemy  # noqa: PLC0415 (heavy import, only when needed)

        return self._connection.execute(sqlalchemy.text(statement), values)
