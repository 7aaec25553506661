"""A gallery: releases that a team shares, in a folder at any URL.

    index.json                      all entries, for whoever looks for one
    entries/NAME/VERSION.json       one entry; written once
    bundles/SHA256.mlwf.zip         the release itself

An entry is what counts: it is there or not, and of two that are published at once under one version one is first. The
index is made of the entries. Whoever has written it looks at the entries once more, so that in the end it has them all,
without a lock, which few of the places have that a URL may name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core import codec
from ..core.errors import BadRequest, Conflict, InvalidWorkflow, NotFound, suggest
from ..core.release import Release, Sha256, Version, digest, version_key
from ..core.workflow import Name, Parameter, Workflow
from ..ports import Clock, RunStore
from .bundle import MAX_BUNDLE, bundle
from .place import Place

_INDEX = "index.json"
#: How often the index is written in vain; each time, somebody else has published meanwhile.
_MOST_TRIES = 50
M = TypeVar("M", bound=BaseModel)


class Entry(BaseModel):
    """A published release."""

    model_config = ConfigDict(frozen=True)

    name: Name
    version: Version
    title: str | None = Field(default=None, description="Title of the workflow.")
    description: str = Field(default="", description="What it is for, in Markdown.")
    notes: str = Field(default="", description="What changed in this version, in Markdown.")
    author: str = Field(default="", description="Who released it.")
    licence: str | None = Field(default=None, description="Under which it is given on, such as BSD-3-Clause.")
    published: datetime
    parameters: dict[Name, Parameter] = Field(default_factory=dict, description="What a run of it is asked.")
    needs: list[str] = Field(default_factory=list, description="Releases that its steps run, as NAME@VERSION.")
    digest: Sha256 = Field(description="Of the release: the same content has the same digest.")
    sha256: Sha256 = Field(description="Of the bundle.")

    @property
    def target(self) -> str:
        """What it is called."""
        return f"{self.name}@{self.version}"

    @property
    def bundle(self) -> str:
        """Where its bundle is."""
        return f"bundles/{self.sha256}.mlwf.zip"


class _Index(BaseModel):
    entries: list[Entry]


@dataclass(frozen=True)
class Published:
    """What became of a publication."""

    entry: Entry
    gallery: str
    """The URL, without a password."""
    already: bool
    """Whether the same content was published before under this version."""

    def __str__(self) -> str:
        if self.already:
            return f"{self.entry.target} is in the gallery {self.gallery} already, with the same content."
        return f"Published {self.entry.target} to the gallery {self.gallery}."


class Gallery:
    """The gallery at a URL.

    Args:
        url: folder or URL; it need not be there to publish to it.

    Raises:
        BadRequest: there is no such kind of URL.
    """

    def __init__(self, url: str) -> None:
        self._place = Place(url)
        self.url = self._place.shown

    def publish(
        self, store: RunStore, release: Release, clock: Clock, *, description: str = "", licence: str | None = None
    ) -> Published:
        """Put a release into the gallery, for whoever may read it.

        Raises:
            Conflict: other content is published under that version, or a release that it runs is not published.
            BadRequest: the gallery cannot be read or written.
        """
        needs = sorted(needed(release, store.get_blob))
        content = bundle(release, store.get_blob)
        entry = Entry(
            name=release.name,
            version=release.version,
            title=release.title,
            description=description,
            notes=release.notes,
            author=release.author,
            licence=licence,
            published=clock.now(),
            parameters=release.workflow.parameters,
            needs=needs,
            digest=digest(release.workflow, release.files),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        if len(content) > MAX_BUNDLE:
            raise BadRequest(
                f"{entry.target} has {len(content):,} bytes, and a gallery takes {MAX_BUNDLE:,}: keep data out of its "
                "notebooks."
            )
        path = _file(entry.name, entry.version)
        there = self._entry(path)
        if there is None:
            for target in needs:
                if self._entry(_file(*target.split("@"))) is None:
                    raise Conflict(
                        f"{entry.target} runs {target}, which is not in the gallery {self.url}: publish that first."
                    )
            # First, so that whoever finds the entry finds it too.
            self._place.replace(entry.bundle, content)
            if not self._place.create(path, _text(entry)):
                there = self._entry(path)
        if there and there.digest != entry.digest:
            raise Conflict(
                f"{there.target} is in the gallery {self.url} with other content, and what is published never "
                "changes: release it under another version."
            )
        self._write_index()
        return Published(there or entry, self.url, already=there is not None)

    def entries(self) -> list[Entry]:
        """All entries, by name and then the highest version first.

        Raises:
            NotFound: there is no gallery.
            BadRequest: it cannot be read.
        """
        index = self._index()
        if index is None:
            raise NotFound(f"There is no gallery at {self.url}: the first `publish` makes it.")
        return index

    def find(self, name: str, version: str | None) -> Entry:
        """One entry, of the highest version if none is given.

        Raises:
            NotFound: there is none.
            BadRequest: the gallery cannot be read.
        """
        entries = self.entries()
        for entry in entries:
            if entry.name == name and version in (None, entry.version):
                return entry
        if versions := [each.version for each in entries if each.name == name]:
            raise NotFound(f"The gallery {self.url} has no {name}@{version}; the newest are {', '.join(versions[:5])}.")
        mend = suggest(name, dict.fromkeys(each.name for each in entries), "Name one that is in it")
        raise NotFound(f"The gallery {self.url} has no '{name}'. {mend}")

    def bundle(self, entry: Entry) -> bytes:
        """The bundle of an entry.

        Raises:
            NotFound: it is gone.
            Conflict: it is not what was published.
            BadRequest: the gallery cannot be read.
        """
        content = self._place.read(entry.bundle, MAX_BUNDLE)
        if content is None:
            raise NotFound(f"The bundle of {entry.target} is gone from the gallery {self.url}: publish it again.")
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise Conflict(
                f"The bundle of {entry.target} in the gallery {self.url} is not what was published: somebody changed "
                "it, or it came incomplete. Ask whoever published it."
            )
        return content

    def _entry(self, path: str) -> Entry | None:
        content = self._place.read(path, codec.MAX_BYTES)
        if content is None:
            return None
        entry = self._read(path, content, Entry)
        if _file(entry.name, entry.version) != path:
            raise self._foreign(path)
        return entry

    def _index(self) -> list[Entry] | None:
        content = self._place.read(_INDEX, codec.MAX_BYTES)
        return None if content is None else self._read(_INDEX, content, _Index).entries

    def _write_index(self) -> None:
        for _ in range(_MOST_TRIES):
            known = {_file(entry.name, entry.version): entry for entry in self._index() or []}
            paths = [path for path in self._place.find("entries") if path.endswith(".json")]
            entries = [known[path] if path in known else self._entry(path) for path in paths]
            found = sorted(filter(None, entries), key=lambda entry: version_key(entry.version), reverse=True)
            text = _text(_Index(entries=sorted(found, key=lambda entry: entry.name)))
            if text == self._place.read(_INDEX, codec.MAX_BYTES):
                return
            self._place.replace(_INDEX, text)
        raise BadRequest(f"{self.url}/{_INDEX} does not stay as it was written: publish again, when nobody else does.")

    def _read(self, path: str, content: bytes, model: type[M]) -> M:
        try:
            return model.model_validate(codec.parse(content))
        except (InvalidWorkflow, ValidationError):
            raise self._foreign(path) from None

    def _foreign(self, path: str) -> BadRequest:
        return BadRequest(f"{self.url}/{path} is not what a gallery holds there: take it away, and publish again.")


def needed(release: Release, blob: Callable[[str], bytes]) -> set[str]:
    """The releases that a release runs as steps, as `NAME@VERSION`, also those of documents in it."""
    documents = [codec.loads(blob(sha)) for path, sha in release.files.items() if path.endswith(".mlwf")]
    return {each for workflow in [release.workflow, *documents] for each in _run_by(workflow)}


def _run_by(workflow: Workflow) -> Iterator[str]:
    for step in workflow.steps.values():
        if step.workflow and not step.workflow.endswith(".mlwf"):
            yield step.workflow


def _file(name: str, version: str) -> str:
    return f"entries/{name}/{version}.json"


def _text(model: BaseModel) -> bytes:
    return (model.model_dump_json(indent=1, exclude_defaults=True) + "\n").encode()
