"""Asking the person at the terminal."""

from __future__ import annotations

import getpass
import sys

from mangadex_uploader.errors import UsageError
from mangadex_uploader.options import Talking
from mangadex_uploader.output import shown
from mangadex_uploader.settings import SECRETS, variable


def may_ask(talking: Talking) -> bool:
    """Whether somebody is there who may be asked."""
    return not talking.non_interactive and sys.stdin.isatty()


def ask(question: str) -> str:
    """A line of answer, which may be empty."""
    sys.stderr.write(f"{shown(question)}: ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        sys.stderr.write("\n")
        raise UsageError("The question has no answer: standard input has ended.")
    return answer.strip()


def ask_secret(question: str) -> str:
    """A line of answer that is not shown."""
    try:
        return getpass.getpass(f"{question}: ", stream=sys.stderr)
    except EOFError:
        raise UsageError("The question has no answer: standard input has ended.") from None


def agreed(question: str) -> bool:
    """Yes or no; everything but a yes is a no."""
    return ask(f"{question} [y/N]").lower() in ("y", "yes")


def required(talking: Talking, name: str, question: str) -> str:
    """The answer for an option or secret that is not given.

    Raises:
        UsageError: nobody may be asked, or the answer is empty.
    """
    if may_ask(talking):
        answer = ask_secret(question) if name in SECRETS else ask(question)
        if answer:
            return answer
    raise UsageError(missing(name, question))


def missing(name: str, what: str) -> str:
    """The sentence about an option or secret that is not given."""
    if name in SECRETS:
        return f"{what} is missing: set {variable(name)}."
    return f"{what} is missing: give --{name}, or set {variable(name)}."
