"""Results of earlier runs that serve again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from ..core import cache
from ..core.actions import Look
from ..core.errors import MLWFError
from ..core.run import Run
from ..ports import Clock, RunStore
from ..workspace import Workspace
from .contents import TooManyFiles, known_content
from .inputs import Inputs
from .launch import working_folder


class Uncomparable(MLWFError):
    """What a step depends on cannot be known; the text says why."""


@dataclass(frozen=True)
class Missed:
    """No earlier result serves."""

    why: str
    never: bool = False
    """Whether there is no earlier result at all."""


#: Tells what a kernel runs in: `StepRunner.environment`.
Environment = Callable[[str | None], dict[str, str]]


class Results:
    """Finds results of earlier runs. All methods may be called from any thread.

    Args:
        store: has the runs.
        environment: tells what a kernel runs in.
        workspace: what paths are relative to.
        clock: tells how old a result is.
        blob: gives a frozen notebook by SHA-256; the store does, if nothing else is given.
    """

    def __init__(
        self,
        store: RunStore,
        environment: Environment,
        workspace: Workspace,
        clock: Clock,
        blob: Callable[[str], bytes] | None = None,
    ) -> None:
        self._store = store
        self._environment = environment
        self._workspace = workspace
        self._clock = clock
        get = blob or store.get_blob
        self._code = lru_cache(maxsize=1000)(lambda sha256: cache.code(get(sha256)))

    def look(self, run: Run, looks: Iterable[Look]) -> dict[str, cache.Earlier | Missed]:
        """For each step, an earlier result that serves, or why there is none."""
        found: dict[str, cache.Earlier | Missed] = {}
        fingerprints: dict[str, dict[str, str]] = {}
        environment = lru_cache(self._environment)  # the same for all that are looked for at one moment
        for each in looks:
            try:
                fingerprints[each.step] = self._fingerprint(run, each.step, each.parameters, environment)
            except Uncomparable as error:
                found[each.step] = Missed(str(error))
        keys = {step: cache.key(fingerprint) for step, fingerprint in fingerprints.items()}
        known = self._store.results(keys.values())
        for step, fingerprint in fingerprints.items():
            definition = run.definition(step)
            earlier = known.get(keys[step])
            if earlier and cache.serves(earlier, definition, self._clock.now()) and self._is_whole(earlier):
                found[step] = earlier
            else:
                last = earlier or self._store.last_result(run.origin.path, step)
                why = cache.why_not(fingerprint, last, definition, self._clock.now())
                found[step] = Missed(why, never=last is None)
        return found

    def fingerprint(self, run: Run, step: str, parameters: Mapping[str, JsonValue]) -> dict[str, str]:
        """What the result of a step depends on, as it is now.

        Raises:
            Uncomparable: a folder among it is too large, or the kernel is not known.
        """
        return self._fingerprint(run, step, parameters, self._environment)

    def _fingerprint(
        self,
        run: Run,
        step: str,
        parameters: Mapping[str, JsonValue],
        environment: Environment,
    ) -> dict[str, str]:
        definition = run.definition(step)
        assert definition.notebook
        inputs = Inputs(
            self._workspace,
            self._workspace.locate(run.origin.path).parent,
            working_folder(self._workspace, run.origin, definition.notebook),
        )
        try:
            code = self._code(run.origin.files[definition.notebook])
            return {
                cache.CODE: code.digest,
                cache.ENVIRONMENT: cache.digest(dict(definition.environment)),
                **environment(definition.kernel or code.kernel),
                **inputs.in_code(code),
                **inputs.declared(definition.files),
                **inputs.given(parameters),
            }
        except (TooManyFiles, MLWFError) as error:
            raise Uncomparable(str(error)) from error

    def _is_whole(self, earlier: cache.Earlier) -> bool:
        """Whether the files of a result are all there, as they were written."""
        locate = self._workspace.locate
        notebook = earlier.source.notebook
        return bool(notebook and locate(notebook).is_file()) and all(
            known_content(locate(artifact.path)) == artifact.sha256
            if artifact.sha256
            else locate(artifact.path).is_dir()  # too large to be compared
            for artifact in earlier.step.artifacts.values()
        )
