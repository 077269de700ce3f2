"""How a function becomes a command: groups of options as one argument each, errors as a sentence and a status."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

import typer

from mangadex_uploader.interruption import InterruptedBySignalError
from mangadex_uploader.options import Talking
from mangadex_uploader.output import Output


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Spread the dataclasses among the parameters into their options, and tell the errors.

    Every command has the options of `Talking`; an `output` parameter gets the streams that they ask for.
    """
    signature = inspect.signature(function, eval_str=True)
    wanted = signature.parameters
    groups: dict[str, Any] = {it.name: it.annotation for it in wanted.values() if is_dataclass(it.annotation)}
    groups["talking"] = Talking
    own = [it for it in wanted.values() if it.name not in {*groups, "output"}]
    flat = [it.replace(kind=inspect.Parameter.KEYWORD_ONLY) for it in own]
    for group in groups.values():
        flat += _options(group)

    @functools.wraps(function)
    def run(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{it.name: given.pop(it.name) for it in fields(group)})
        given["output"] = output = _output(given["talking"])
        try:
            function(**{name: value for name, value in given.items() if name in wanted})
        except typer.Exit as end:
            raise typer.Exit(output.status(end.exit_code)) from None
        except InterruptedBySignalError as stop:
            output.tell("interrupted", exit_status=stop.exit_status)
            raise typer.Exit(stop.exit_status) from None
        except Exception as error:  # noqa: BLE001 - an unexpected one is told as such
            from mangadex_uploader.failures import report  # noqa: PLC0415 - loads the client

            raise typer.Exit(report(output, error)) from None
        else:
            if status := output.status():
                raise typer.Exit(status)

    run.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined] # what typer reads
    run.__annotations__ = {it.name: it.annotation for it in flat}
    return run


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            it.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if it.default is MISSING else it.default,
            annotation=hints[it.name],
        )
        for it in fields(group)
    ]


def _output(talking: Talking) -> Output:
    return Output(is_json=talking.json, is_quiet=talking.quiet, is_verbose=talking.verbose)
