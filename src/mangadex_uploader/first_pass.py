"""All of several chapters are read and checked before the first byte is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mangadex_uploader.chapter import Plan
from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import DuplicateChapter
from mangadex_uploader.failures import explained, report
from mangadex_uploader.output import Output
from mangadex_uploader.uploader import Uploader
from mangadex_uploader.wanted_chapters import Described


class FirstPass:
    """Reads and checks all chapters; nothing is sent. `endings` has those that fail.

    `fail` tells of a failure, as `failed` if it is not given.
    """

    def __init__(
        self,
        uploader: Uploader,
        output: Output,
        fail: Callable[[Path, Exception], Ending] | None = None,
        *,
        allow_duplicate: bool,
    ) -> None:
        self._fail = fail or (lambda path, error: failed(path, error, output))
        self._uploader = uploader
        self._output = output
        self._allow_duplicate = allow_duplicate
        self._seen: dict[str, tuple[Path, str]] = {}
        self.endings: list[Ending] = []

    async def plan(self, described: Described) -> Plan | None:
        """The plan of one; None where it fails, which is told."""
        tell_values(described, self._output)
        try:
            plan = await self._uploader.plan(described.chapter)
            self._check_double(plan)
        except Exception as error:  # noqa: BLE001 - an unexpected one goes on
            self.endings.append(self._fail(described.chapter.path, error))
            return None
        return plan

    def _check_double(self, plan: Plan) -> None:
        """Two of one command that would be the same chapter: after the first the second would be refused."""
        earlier, pages_digest = self._seen.setdefault(plan.identity, (plan.chapter.path, plan.pages_digest))
        if pages_digest != plan.pages_digest and not self._allow_duplicate:
            raise DuplicateChapter(
                f"{plan.chapter.path}: is the same chapter as {earlier}, with other pages: the same manga, number, "
                f"volume, language and groups. Correct one of them, or use --allow-duplicate."
            )


def failed(path: Path, error: Exception, output: Output) -> Ending:
    """Tell of a failure.

    Raises:
        Exception: the error itself, if nobody expected it.
    """
    failure = explained(error)
    if failure is None:
        raise error
    return Ending(path, What.FAILED, report(output, error, str(path)), failure.problem)


def tell_values(described: Described, output: Output) -> None:
    """A chapter's values, and where they came from."""
    label, told = described.chapter.label, described.told
    if told is None:
        return
    output.tell("values", path=str(described.chapter.path), **told.keys())
    output.say(f"{label}: {told.line()}")
    for warning in told.warnings:
        output.say(f"{label}: {warning}")
