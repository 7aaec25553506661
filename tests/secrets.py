"""A notebook that lets a secret slip wherever it can, and a search for it in all that is kept."""

from __future__ import annotations

import base64
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from tests.notebooks import MLWF, write_notebook, write_workflow

#: With a character that each encoding writes in another way.
VALUE = 'tok/en+"Zoë" & 4242'
#: The variable that the tests' documents refer to.
NAME = "SLIPPERY_TOKEN"

_SLIP = """
import base64, json, os, subprocess, sys, time, urllib.parse
print("raw", token)
print("base64", base64.b64encode(token.encode()).decode(), base64.b64encode(b"user:" + token.encode()).decode())
print("lines", base64.encodebytes(b"x" * 70 + token.encode() * 2).decode())
print("quoted", urllib.parse.quote(token), urllib.parse.quote(token, safe=""), urllib.parse.quote_plus(token))
print("json", json.dumps({"key": token}), repr(token), token.encode(), token.encode().hex(), file=sys.stderr)
"""
_IN_PIECES = """
for character in token:
    print(character, end="", flush=True)
    time.sleep(0.01)
print()
for character in base64.b64encode(token.encode()).decode():
    os.write(1, character.encode())
    time.sleep(0.01)
os.write(2, b"\\n")
"""
_CHILD = """
subprocess.run([sys.executable, "-c", "import os; print(os.environ['MLWF_SECRET_token'])"])
subprocess.run(["sh", "-c", "printf %s \\"$MLWF_SECRET_token\\" >&2"])
os.write(1, token.encode())
"""
_SHOW = """
from IPython.display import HTML, Image, JSON, display, update_display
import html
display(HTML(f"<b>{html.escape(token)}</b>"), metadata={"a": token})
display(JSON({"key": [token], token: 1}))
handle = display("first", display_id="place")
update_display(f"then {token}", display_id="place")
display({"image/png": base64.b64encode(b"\\x89PNG" + token.encode()).decode()}, raw=True)
token
"""
_RECORD = f"""
{MLWF}
mlwf.output("plain", token)
mlwf.output("nested", {{"list": [1, token], token: "key"}})
mlwf.output("n" + token.encode().hex(), 1)
mlwf.metric("n" + token.encode().hex(), 0.5)
mlwf.check("fine", True, cause=token, samples=[{{"row": token}}])
mlwf.artifact("good.txt").write_text("nothing")
"""
_FAIL = """
class TokenError(Exception): ...
raise TokenError(f"no access with {token}, nor with " + urllib.parse.quote(token))
"""


def write_slippery(folder: Path, *, fails: bool = False, more: str = "") -> Path:
    """A workflow whose only step gets the parameter `token`."""
    cells = [_SLIP, _IN_PIECES, _CHILD, _SHOW, _RECORD, *([more] if more else []), *([_FAIL] if fails else [])]
    write_notebook(folder / "slip.ipynb", 'token: str = ""', *cells)
    return write_workflow(
        folder / "slippery.mlwf",
        {"slip": {"notebook": "slip.ipynb", "parameters": {"token": {"from": "params.token"}}, "cache": False}},
        parameters={"token": {"type": "secret"}},
    )


def forms(value: str = VALUE) -> list[bytes]:
    """A secret, as it must be found nowhere."""
    content = value.encode()
    texts = [value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]]
    texts += [json.dumps(value, ensure_ascii=False)[1:-1], content.hex(), value[:7], value[-6:]]
    # Of base64, what does not depend on the neighbours, at each of the three places.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + content).decode()
        texts.append(encoded[-(-before * 4 // 3) : (before + len(content)) * 8 // 6])
    return [text.encode() for text in texts]


def exposed(content: bytes, value: str = VALUE) -> list[bytes]:
    """The forms of a secret that are in some content, also where a line ends within."""
    joined = content.replace(b"\n", b"").replace(b"\\n", b"")
    return [form for form in forms(value) if form in content or form in joined]


def require_absent(root: Path, *texts: str) -> None:
    """Look for the secret in every file below a folder, the database's values among them, and in texts."""
    searched = 0
    for path in root.rglob("*"):
        assert not exposed(str(path).encode()), path
        if path.is_file():
            content = path.read_bytes()
            assert not exposed(content), (path, exposed(content))
            searched += 1
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    assert not any(exposed(archive.read(name)) for name in archive.namelist())
    assert searched
    for database in root.rglob("mlwf.db"):
        for value in _values(database):
            assert not exposed(value), value
    for text in texts:
        assert not exposed(text.encode()), text


def _values(database: Path) -> list[bytes]:
    """All that a database holds: its pages may have it in parts."""
    found: list[bytes] = []
    with sqlite3.connect(database) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                found += [each if isinstance(each, bytes) else _text(each) for each in row if each is not None]
    assert found
    return found


def _text(value: Any) -> bytes:
    text = str(value)
    try:
        return (text + json.dumps(json.loads(text), ensure_ascii=False)).encode()
    except ValueError:
        return text.encode()
