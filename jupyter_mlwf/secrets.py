"""Values of secrets: found where a reference says, and kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .core.codec import dumps
from .core.errors import InvalidWorkflow, MLWFError, Problem
from .core.redaction import Redactor, weakness
from .core.secrets import SecretReference, parse_secret
from .core.workflow import Workflow

#: Of a file, in bytes: much more than a secret may have.
_MAX_FILE = 64 << 10
_OTHERS = 0o077


class MissingSecret(MLWFError):
    """A secret cannot be found, or not be protected; the text says which, and why, and never the value."""

    code = "missing-secret"


def find(reference: str) -> str:
    """The value of a secret.

    Raises:
        MissingSecret: there is none, or it cannot be protected.
    """
    secret = parse_secret(reference)
    if secret is None:
        raise MissingSecret("The value is no reference to a secret.")
    value = {"env": _variable, "keyring": _entry, "file": _line}[secret.kind](secret)
    if why := weakness(value):
        raise MissingSecret(f"What {reference} refers to {why}.")
    return value


def redactor_of(references: Iterable[str]) -> Redactor:
    """Redacts those of some secrets that can be found now."""
    values = []
    for reference in references:
        try:
            values.append(find(reference))
        except MissingSecret:
            continue
    return Redactor(values)


def remark(reference: str) -> str | None:
    """What a person should know of how a secret is kept; None if it is kept well."""
    secret = parse_secret(reference)
    if secret and secret.kind == "file" and Path(secret.place).expanduser().stat().st_mode & _OTHERS:
        return f"Others on this machine may read the file of the secret {reference}: `chmod 600` keeps it private."
    return None


def require_unwritten(secrets: Mapping[str, str], workflow: Workflow, files: Mapping[str, bytes]) -> None:
    """Refuse a document, or files of it, that hold the value of a secret that can be found now.

    Args:
        secrets: references by the name of the parameter.
        workflow: the document.
        files: content by path.

    Raises:
        InvalidWorkflow: with all of them.
    """
    if not secrets:
        return
    redactors = {name: redactor_of([reference]) for name, reference in secrets.items()}
    contents = {"the document": dumps(workflow).encode(), **files}
    problems = [
        Problem(
            code="secret",
            place="",
            message=f"The value of the secret parameter '{name}' is written in {file}.",
            mend="Take it out there, and use the parameter instead.",
        )
        for file, content in contents.items()
        for name, redactor in redactors.items()
        if redactor and redactor.holds(content.decode("utf-8", "replace"))
    ]
    if problems:
        raise InvalidWorkflow(problems)


def _variable(secret: SecretReference) -> str:
    try:
        return os.environ[secret.place]
    except KeyError:
        raise MissingSecret(f"The environment variable {secret.place} is not set where the worker runs.") from None


def _entry(secret: SecretReference) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise MissingSecret("The keyring needs a package: `pip install 'jupyter_mlwf[keyring]'`.") from None
    try:
        value = keyring.get_password(secret.place, secret.user)
    except KeyringError as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise MissingSecret(f"The keyring cannot be read: {reason}. Use env: or file: on such a machine.") from None
    if value is None:
        raise MissingSecret(f"The keyring has no entry for '{secret.user}' of '{secret.place}'.")
    return value


def _line(secret: SecretReference) -> str:
    try:
        with Path(secret.place).expanduser().open("rb") as file:
            return file.read(_MAX_FILE).decode().strip("\r\n")
    except OSError as error:
        raise MissingSecret(f"The file {secret.place} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, RuntimeError):  # the latter: there is no home folder
        raise MissingSecret(f"The file {secret.place} cannot be read as text.") from None
