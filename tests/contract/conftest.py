"""Both databases that records live in: a SQLite file, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from pydantic import JsonValue
from sqlalchemy import create_engine, text

from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.run import Origin
from jupyter_mlwf.ports import NewRun
from jupyter_mlwf.runner.warm import provisioner
from jupyter_mlwf.runner.warm.helpers import Helpers
from jupyter_mlwf.store import SqlRunStore, open_store
from tests.contract.workbench import Flow, Workbench

Kind = Literal["sqlite", "postgresql"]


def _program(name: str) -> str:
    """A program of PostgreSQL's server: Debian keeps them off PATH, a folder a version."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, reversed(debian))]))
    if found is None:
        pytest.fail(
            f"PostgreSQL's '{name}' is missing, and the store is tested on it: install the server "
            "(`apt-get install postgresql`, `brew install postgresql`) or put its programs on PATH."
        )
    return found


#: Runs the server until the tests let go of its input, which they also do if they are killed.
_GUARD = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server'


class PostgresServer:
    """A server in a folder of its own that listens on a socket there and nowhere else."""

    def __init__(self, folder: Path) -> None:
        initdb, postgres = _program("initdb"), _program("postgres")
        as_user: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:  # which the server refuses to run as
            as_user |= {"user": "postgres", "group": "postgres", "extra_groups": []}
            try:
                shutil.chown(folder, "postgres", "postgres")
            except LookupError:
                pytest.fail("As root, PostgreSQL is tested as the user 'postgres': create it, or test as another user.")
        data = folder / "data"
        with (folder / "log").open("wb") as log:
            subprocess.run(
                [initdb, "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", data],
                check=True,
                stdout=log,
                **as_user,
            )
            self._process = subprocess.Popen(
                ["sh", "-c", _GUARD, "sh", postgres, "-D", data, "-k", folder, "-c", "listen_addresses=", "-F"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **as_user,
            )
        self._folder = folder
        self._admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self._wait()
        self.execute("CREATE DATABASE records")
        open_store(self.url("records")).close()  # a test's database is a copy, which is quicker than to migrate each

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def close(self) -> None:
        self._admin.dispose()
        self._process.communicate()

    def _wait(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                return self.execute("SELECT 1")
            except Exception as error:
                if time.monotonic() > until:
                    self.close()
                    pytest.fail(f"PostgreSQL does not start: {error}\n{(self._folder / 'log').read_text()}")
                time.sleep(0.05)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    # Not pytest's own folder: the user postgres may not enter it, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="mlwf-pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        yield server
        server.close()


def _address(kind: Kind, request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('tmp_path') / '.mlwf' / 'mlwf.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"test_{uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a database without any table."""
    yield from _address(request.param, request, "template0")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a store without any record."""
    yield from _address(request.param, request, "records")


@pytest.fixture
def store(store_url: str) -> Iterator[SqlRunStore]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A worker for all tests of a module; on PostgreSQL where a test names it as the parameter."""
    kind: Kind = getattr(request, "param", "sqlite")
    root = tmp_path_factory.mktemp("bench")
    if kind == "sqlite":
        url, server, name = f"sqlite:///{root / '.mlwf' / 'mlwf.db'}", None, ""
    else:
        server, name = request.getfixturevalue("postgres"), f"bench_{uuid4().hex}"
        server.execute(f"CREATE DATABASE {name} TEMPLATE records")
        url = server.url(name)
    made = Workbench(root, url)
    try:
        made.serve()
        yield made
    finally:
        made.close()
        if server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def flow(bench: Workbench) -> Flow:
    """An empty document in a folder of its own."""
    return bench.flow()


@pytest.fixture
def new_run() -> NewRun:
    """A run of steps `a` and `b`, `b` with an output of `a`."""
    steps: dict[str, JsonValue] = {
        "a": {"notebook": "a.ipynb"},
        "b": {"notebook": "b.ipynb", "parameters": {"table": {"from": "steps.a.outputs.table"}}},
    }
    workflow = from_json({"mlwf": 1, "name": "churn", "title": "Customer churn", "steps": steps})
    return NewRun(workflow, Origin(path="flows/churn.mlwf"), {"rate": 0.1})


@pytest.fixture
def own_helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Helpers]:
    """Helpers for one test, which wants others than most tests do."""
    helpers = Helpers()
    monkeypatch.setattr(provisioner, "HELPERS", helpers)
    yield helpers
    helpers.end()
