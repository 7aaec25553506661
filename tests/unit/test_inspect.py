"""What is read out of a notebook without running it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.interface import NotebookInput, NotebookInterface
from jupyter_mlwf.notebooks import inspect as reader
from jupyter_mlwf.notebooks import python
from jupyter_mlwf.notebooks.inspect import NotebookReader
from jupyter_mlwf.ports import BadNotebook, Notebooks

from .strategies import cases, json_values


def code(source: str | list[str], *tags: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": []}


def save(folder: Path, *cells: dict[str, Any], **metadata: object) -> Path:
    path = folder / "some.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}))
    return path


def interface(folder: Path, *cells: dict[str, Any], **metadata: object) -> NotebookInterface:
    notebooks: Notebooks = NotebookReader()
    return notebooks.inspect(save(folder, *cells, **metadata))


def inputs(source: str) -> dict[str, NotebookInput]:
    return {each.name: each for each in python.inputs(source)}


def recorded(*cells: str) -> tuple[dict[str, list[str]], bool]:
    found = python.recorded(["import jupyter_mlwf as mlwf", *cells])
    return {kind: list(names) for kind, names in found.names.items() if names}, found.complete


def test_a_notebook_says_its_language_kernel_inputs_and_records(tmp_path: Path) -> None:
    found = interface(
        tmp_path,
        {"cell_type": "markdown", "metadata": {}, "source": "mlwf.output('not this', 1)"},
        code(["rate: float = 0.1  # Learning rate\n", "table = 'a.csv'"], "hidden", "parameters"),
        code("other = 1", "parameters"),
        code("from jupyter_mlwf import output, artifact as a\nimport jupyter_mlwf"),
        code(
            "output('rows', 3)\nopen(a('model.joblib'))\n"
            "jupyter_mlwf.metric('auc', 1)\njupyter_mlwf.check(name='ok', value=1)"
        ),
        {"cell_type": "raw", "metadata": {}, "source": "output('nor this', 1)"},
        kernelspec={"name": "my-env", "display_name": "Mine", "language": "python"},
        language_info={"name": "python"},
    )
    assert found == NotebookInterface(
        language="python",
        kernel="my-env",
        has_parameters=True,
        inputs=[
            NotebookInput(name="rate", type="float", default=0.1, source="0.1", help="Learning rate"),
            NotebookInput(name="table", type="str", default="a.csv", source="'a.csv'"),
        ],
        outputs=["rows"],
        artifacts=["model.joblib"],
        metrics=["auc"],
        checks=["ok"],
        complete=True,
    )


def test_a_notebook_with_nothing_of_it_works_too(tmp_path: Path) -> None:
    assert interface(tmp_path, code("print(1)")) == NotebookInterface()
    assert interface(tmp_path) == NotebookInterface()


@pytest.mark.parametrize(
    ("source", "kind", "default"),
    [
        ("x = 3", "int", 3),
        ("x = -3", "int", -3),
        ("x = +0.5", "float", 0.5),
        ("x = 1e3", "float", 1000.0),
        ("x = True", "bool", True),
        ("x = 'a'", "str", "a"),
        ("x = None", None, None),
        ("x = [1, [2.5, None], {'a': 'b'}]", "list", [1, [2.5, None], {"a": "b"}]),
        ("x = (1, 2)", "list", [1, 2]),
        ("x = {'a': -1}", "dict", {"a": -1}),
        ("x = {1: 2}", "dict", None),
        ("x = [a]", "list", None),
        ("x = 1e999", "float", None),
        ("x = 0x" + "f" * 5000, "int", None),
        (r"x = '\ud800'", "str", None),
        ("x = 2 * 3", None, None),
        ("x = f'{y}'", None, None),
        ("x: int = None", "int", None),
        ("x: float = 3", "float", 3),
        ("x: 'list[int]' = []", "list", []),
        ("x: List[str] = None", "list", None),
        ("x: typing.Dict[str, int] = None", "dict", None),
        ("x: Optional[int] = None", "int", None),
        ("x: typing.Union[str, None] = None", "str", None),
        ("x: float | None = None", "float", None),
        ("x: int | float = 1", "float", 1),
        ("x: int | str = 1", "int", 1),
        ("x: Literal['a', 'b'] = 'a'", "str", "a"),
        ("x: Annotated[int, 'even'] = 2", "int", 2),
        ("x: Path = 'a'", "str", "a"),
        ("x: object = f()", None, None),
        ("x: '][' = 1", "int", 1),
        ("x = None  # type: int", "int", None),
        ("x = 1  # type: float rate of it", "float", 1),
        ("x: int\nx = 4", "int", 4),
        ("%matplotlib inline\nx = 4\n!ls", "int", 4),
        ("y = !ls\nx = 4", "int", 4),
    ],
)
def test_types_and_defaults_of_inputs(source: str, kind: str | None, default: object) -> None:
    found = inputs(source)["x"]
    assert (found.type, found.default, found.required) == (kind, default, False)
    assert type(found.default) is type(default)


def test_inputs_keep_their_order_help_and_text() -> None:
    found = inputs(
        "import os\n"
        "# about a\n"
        "a = 1; b = 'ü#'  # of both\n"
        "c: dict[str, int]  # needed\n"
        "d = {\n    'k': [1,  # one\n          2],\n}  # type: dict  of d\n"
        "e = f = 0\n"
        "g, h = 1, 'x'\n"
        "i, j = pair()\n"
        "größe = 1\n"
        "obj.attribute = 1\n"
        "a += 1\n"
        "if a:\n    z = 1\n"
        "b = 'ö' + name  # again\n"
    )
    assert list(found) == ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    assert (found["a"].help, found["b"].help, found["b"].source) == ("of both", "again", "'ö' + name")
    assert found["c"] == NotebookInput(name="c", type="dict", required=True, help="needed")
    assert found["d"].help == "of d"
    assert found["d"].default == {"k": [1, 2]}
    assert found["d"].source == "{\n    'k': [1,  # one\n          2],\n}"
    assert (found["g"].default, found["h"].default, found["i"].source) == (1, "x", None)
    assert [each.required for each in found.values()].count(True) == 1


@pytest.mark.parametrize(
    "source", ["x = = 1", "x = (", "\0", "x = 1\n  y = 2", "(" * 500, "%%bash\nx=1", "-" * 100_000 + "1"]
)
def test_a_parameters_cell_that_is_not_python_has_no_inputs(source: str) -> None:
    assert python.inputs(source) == []


@pytest.mark.parametrize(
    "cell",
    [
        "mlwf.output('a', 1)",
        "mlwf.output(value=1, name='a')",
        "from jupyter_mlwf import output as o\no('a', 1)",
        "from jupyter_mlwf import *\noutput('a', 1)",
        "def later():\n    if True:\n        mlwf.output('a', 1)\n    mlwf.output('a', 2)",
        "%time mlwf.output('a', 1)",
        "%%time\nmlwf.output('a', 1)",
        "%%capture out\n!ls\nmlwf.output('a', 1)",
        "!pip list\nmlwf.output('a', 1)\nmlwf.output?",
        "await f(mlwf.output('a', 1))",
        "x = f\"{mlwf.output('a', 1)}\"\nprint(mlwf.__version__)",
    ],
)
def test_calls_are_found_wherever_they_stand(cell: str) -> None:
    assert recorded(cell) == ({"output": ["a"]}, True)


@pytest.mark.parametrize(
    "cell",
    [
        "for name in names:\n    mlwf.output(name, 1)",
        "mlwf.output(f'a_{n}', 1)",
        "mlwf.output(*arguments)",
        "mlwf.output(**arguments)",
        "mlwf.output()",
        "save = mlwf.output\nsave('a', 1)",
        "getattr(mlwf, 'output')('a', 1)",
        "from jupyter_mlwf import output\nmap(output, names, values)",
        "from jupyter_mlwf.notebooks import recorder\nrecorder.output('a', 1)",
        "import importlib\nimportlib.import_module('jupyter_mlwf').output('a', 1)",
        "display({'application/vnd.mlwf.record+json': {}}, raw=True)",
        "%run other.ipynb",
        "%%some_magic\nmlwf.output('a', 1)",
        "%some_magic mlwf.output('a', 1)",
        "this is no python",
    ],
)
def test_what_cannot_be_followed_makes_the_list_incomplete(cell: str) -> None:
    names, complete = recorded(cell, "mlwf.artifact('known')")
    assert not complete
    assert names == {"artifact": ["known"]}


@pytest.mark.parametrize(
    "cell", ["%%bash\necho $x | wc", "mlwf.output('no such name!', 1)", "%%html\n<b>a</b>", "x = 'mlwf'"]
)
def test_what_records_nothing_leaves_the_list_complete(cell: str) -> None:
    assert recorded(cell) == ({}, True)


def test_a_notebook_that_does_not_import_the_package_is_complete_whatever_it_holds() -> None:
    found = python.recorded(["this is no python", "output('a', 1)"])
    assert found.complete
    assert not any(found.names.values())


def test_names_come_in_the_order_of_the_source_and_once() -> None:
    names, complete = recorded(
        "f(mlwf.metric('b', 1), mlwf.metric('a', 1))\nmlwf.check('c', 1)",
        "mlwf.metric('d', 1)\nmlwf.metric('b', 2)",
    )
    assert names == {"metric": ["b", "a", "d"], "check": ["c"]}
    assert complete


@pytest.mark.parametrize(
    ("language", "source", "wanted"),
    [
        (
            "R",
            'rate <- 0.1 # Learning rate\nn = 5L\nname <- "a # b"\nok <- TRUE\nv <- c(1, 2)\nif (n == 5) {}',
            {
                "rate": ("float", 0.1),
                "n": ("int", 5),
                "name": ("str", "a # b"),
                "ok": ("bool", True),
                "v": (None, None),
            },
        ),
        (
            "julia",
            'const n = 3\nx::Float64 = 1.5e3\ns = "$n"',
            {"n": ("int", 3), "x": ("float", 1500.0), "s": ("str", None)},
        ),
        ("scala", 'val n: Int = 3 // how many\nvar s = "a"', {"n": ("int", 3), "s": ("str", "a")}),
        ("c#", 'var n = 3;\nvar s = "a"; // text', {"n": ("int", 3), "s": ("str", "a")}),
        ("powershell", "$n = 3\n$ok = $true", {"n": ("int", 3), "ok": ("bool", True)}),
        ("matlab", "x = -1.5; % why", {"x": ("float", -1.5)}),
        ("bash", "n=3\nname='a b'", {"n": ("int", 3), "name": ("str", "a b")}),
    ],
)
def test_plain_assignments_are_read_in_other_languages(
    tmp_path: Path, language: str, source: str, wanted: dict[str, tuple[str | None, object]]
) -> None:
    found = interface(tmp_path, code(source, "parameters"), language_info={"name": language})
    assert {each.name: (each.type, each.default) for each in found.inputs} == wanted
    assert found.language == language.lower()
    assert not found.complete
    helps = [each.help for each in found.inputs if each.help]
    assert helps in ([], ["Learning rate"], ["how many"], ["text"], ["why"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is not JSON at line 1, column 1"),
        (b"print(1)\n", "it is not JSON at line 1, column 1"),
        (b'{"a": 1,\n}', "it is not JSON at line 2, column 1"),
        (b"\xff\xfe\x00", "it is not UTF-8 text at byte 0"),
        (b"[" * 100_000, "is nested too deep"),
        (b"1" * 5000, "a number that is too long"),
        (b"[]", "it holds JSON of another kind"),
        (b'{"mlwf": 1, "steps": {}}', "it holds JSON of another kind"),
        (b'{"nbformat": 3, "worksheets": []}', "is written in format 3"),
        (b'{"nbformat": 5, "cells": []}', "is written in format 5"),
        (b'{"nbformat": 4}', "it has no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "cell 0 is not a cell"),
        (b'{"nbformat": 4, "cells": [{"source": ""}]}', "cell 0 is not a cell"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "the source of cell 0 is not text"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}', "the source of cell 0 is not text"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "", "metadata": []}]}', "the metadata of cell 0"),
        (b'{"nbformat": 4, "cells": [], "metadata": []}', "its metadata are not an object"),
        (b'{"nbformat": 4, "cells": [], "metadata": ' + b'{"a":' * 70 + b"1" + b"}" * 71, "more than 64 levels deep"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "some.ipynb"
    path.write_bytes(content)
    with pytest.raises(BadNotebook) as caught:
        NotebookReader().inspect(path)
    (problem,) = caught.value.problems
    assert problem.code == "bad-notebook"
    assert words in problem.message
    assert "some.ipynb" in problem.message
    assert problem.mend.endswith(".")


def test_what_is_not_there_or_not_a_file_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def problem(path: Path) -> tuple[str, str]:
        with pytest.raises(BadNotebook) as caught:
            NotebookReader().inspect(path)
        (found,) = caught.value.problems
        return found.code, found.message

    assert problem(tmp_path / "a.ipynb")[0] == "missing-notebook"
    assert "There is no notebook a.ipynb" in problem(tmp_path / "a.ipynb")[1]
    there = save(tmp_path)
    assert problem(there / "a.ipynb")[0] == "missing-notebook"
    assert "is a folder" in problem(tmp_path)[1]
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert "is not a file" in problem(tmp_path / "pipe.ipynb")[1]
    assert "cannot be read" in problem(tmp_path / ("x" * 300 + ".ipynb"))[1]
    assert "cannot be read" in problem(Path("a\0.ipynb"))[1]
    monkeypatch.setattr(reader, "MAX_BYTES", 10)
    assert "10 are allowed" in problem(there)[1]


def test_a_notebook_is_read_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, code("x = 1", "parameters"))
    notebooks = NotebookReader()
    first = notebooks.inspect(path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read again"))
        assert notebooks.inspect(path) is first
    path = save(tmp_path, code("x = 12", "parameters"))
    assert notebooks.inspect(path).inputs[0].default == 12


def test_half_a_surrogate_pair_does_no_harm(tmp_path: Path) -> None:
    cells = [code("x = '\ud800'  # \ud800", "parameters"), code("import jupyter_mlwf as m\nm.output('\ud800', 1)")]
    found = interface(tmp_path, *cells, kernelspec={"name": "\ud800"})
    found.model_dump_json().encode()


_sources = st.text() | st.lists(
    st.sampled_from(
        [
            "import jupyter_mlwf as m",
            "m",
            ".output",
            "(",
            ")",
            "'a'",
            ",",
            "=",
            "x",
            ": int",
            "%%time",
            "%x",
            "!ls",
            "\n",
            "  ",
            "?",
        ]
    )
).map("".join)
_cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown"]), "source": _sources | st.lists(_sources)},
    optional={"metadata": st.just({"tags": ["parameters"]}) | json_values, "outputs": json_values},
)


@given(
    json_values
    | st.fixed_dictionaries({"nbformat": st.just(4), "cells": st.lists(_cells, max_size=3), "metadata": json_values})
)
@cases(300)
def test_nothing_that_a_file_may_hold_brings_it_down(tmp_path_factory: pytest.TempPathFactory, data: JsonValue) -> None:
    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.ipynb"
    path.write_text(json.dumps(data))
    try:
        found = NotebookReader().inspect(path)
    except BadNotebook:
        return
    assert NotebookInterface.model_validate_json(found.model_dump_json()) == found
