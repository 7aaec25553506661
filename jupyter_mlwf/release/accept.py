"""Takes a release from elsewhere into the workspace: looked at first, kept when somebody accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..core.errors import BadRequest, Conflict, NotFound
from ..core.release import Release, parse_target
from ..documents import Reader
from ..ports import Notebooks, RunStore
from .gallery import needed
from .unpack import Unpacked, unpack


@dataclass(frozen=True)
class Incoming:
    """A release from elsewhere: nothing of it is in the workspace, and nothing of it can run."""

    unpacked: Unpacked
    already: bool
    """Whether the same content is released here under this version."""

    @property
    def release(self) -> Release:
        """What came."""
        return self.unpacked.release


class Importer:
    """Takes bundles into the store of a workspace."""

    def __init__(self, store: RunStore, notebooks: Notebooks) -> None:
        self._store = store
        self._notebooks = notebooks

    def look(self, content: bytes) -> Incoming:
        """What a bundle holds; it is judged as a document that is released is, and nothing is kept.

        Raises:
            BadRequest: it is no bundle or was changed, or it runs releases that are not here.
            Conflict: other content is released here under that version.
            InvalidWorkflow: it cannot be run.
        """
        unpacked = unpack(content)
        release = unpacked.release
        for target in sorted(needed(release, unpacked.blobs.__getitem__)):
            if self._released(target) is None:
                raise BadRequest(
                    f"{_target(release)} runs {target}, which is not in this workspace: import that first."
                )
        self._judge(unpacked)
        here = self._released(_target(release))
        if here and here.digest != release.digest:
            raise Conflict(
                f"{_target(release)} is released in this workspace with other content, and a release never changes. "
                "Import it into another folder."
            )
        return Incoming(unpacked, already=here is not None)

    def accept(self, incoming: Incoming) -> None:
        """Keep a release, so that it can be run by its name.

        Raises:
            Conflict: that version has been released here meanwhile.
        """
        if not incoming.already:
            self._store.add_release(incoming.release, incoming.unpacked.blobs)

    def _released(self, target: str) -> Release | None:
        try:
            return self._store.get_release(*parse_target(target))
        except NotFound:
            return None

    def _judge(self, unpacked: Unpacked) -> None:
        """Refuse what could not have been released: its digests say only that it is whole."""
        with TemporaryDirectory(prefix="mlwf-") as name:
            folder = Path(name).resolve()
            try:
                for place, content in unpacked.layout.items():
                    path = folder / place
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
            except OSError as error:  # a name that is too long here, or is that of a file and of a folder
                raise BadRequest(f"{place!r} in the bundle cannot be unpacked: {error.strerror}.") from None
            reader = Reader(self._notebooks, self._store.get_release, within=folder)
            reader.read(folder / unpacked.release.path).require_sound()


def _target(release: Release) -> str:
    return f"{release.name}@{release.version}"
