"""Results of earlier runs that serve again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from ..core import cache
from ..core.actions import Look, Start
from ..core.errors import MLWFError
from ..core.run import Artifact, Run
from ..ports import Clock, RunStore
from ..storage import holds
from ..workspace import Workspace
from .contents import TooManyFiles, known_content
from .inputs import Inputs
from .kept import stored
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
                fingerprints[each.step] = self._fingerprint(run, each, environment)
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

    def fingerprint(self, run: Run, start: Start) -> dict[str, str]:
        """What the result of a step depends on, as it is now.

        Raises:
            Uncomparable: a folder among it is too large, or the kernel is not known.
        """
        return self._fingerprint(run, start, self._environment)

    def _fingerprint(self, run: Run, action: Look | Start, environment: Environment) -> dict[str, str]:
        definition = run.definition(action.step)
        assert definition.notebook
        fixed = {name: text for name, text in definition.environment.items() if isinstance(text, str)}
        variables = {f"${name}": text for name, text in action.environment.items() if name not in fixed}
        values = {**action.parameters, **variables}
        inputs = Inputs(
            self._workspace,
            self._workspace.locate(run.origin.path).parent,
            working_folder(self._workspace, run.origin, definition.notebook),
            {str(each.path): each.sha256 for each in stored(run, self._workspace, values, self._store) if each.sha256},
        )
        try:
            code = self._code(run.origin.files[definition.notebook])
            return {
                cache.CODE: code.digest,
                cache.ENVIRONMENT: cache.digest(fixed),
                **environment(definition.kernel or code.kernel),
                **inputs.in_code(code),
                **inputs.declared(definition.files),
                **inputs.given(values),
            }
        except (TooManyFiles, MLWFError) as error:
            raise Uncomparable(str(error)) from error

    def _is_whole(self, earlier: cache.Earlier) -> bool:
        """Whether the files of a result are all there, as they were written."""
        notebook = earlier.source.notebook
        return bool(notebook and self._workspace.locate(notebook).is_file()) and all(
            map(self._is_there, earlier.step.artifacts.values())
        )

    def _is_there(self, artifact: Artifact) -> bool:
        if artifact.url:
            return holds(artifact.url, artifact.bytes)
        path = self._workspace.locate(artifact.path)
        # Without a digest, it is a folder that is too large to be compared.
        return known_content(path) == artifact.sha256 if artifact.sha256 else path.is_dir()
