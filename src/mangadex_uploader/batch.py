"""Several chapters, one after the other: all are checked before the first byte is sent, each is told, none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from mangadex_uploader.chapter import Plan
from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import ForeignSession, SignInNeeded, TryLater, UploadError
from mangadex_uploader.events import Result
from mangadex_uploader.first_pass import FirstPass, failed
from mangadex_uploader.moving_done import move_into
from mangadex_uploader.options import Many
from mangadex_uploader.output import Output
from mangadex_uploader.planning_ahead import plans_ahead
from mangadex_uploader.queue_journal import Queue, Waits
from mangadex_uploader.reporting import Reporter
from mangadex_uploader.signatures import signature
from mangadex_uploader.uploader import Uploader
from mangadex_uploader.wanted_chapters import Described

CHAPTER_TRIES = 2
"""So often is a chapter begun that others follow, while what stops it may pass."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose queue it is."""

    queue: Queue
    host: str
    account: str

    def add(self, described: Sequence[Described]) -> None:
        """All of these wait."""
        self.queue.add(self.host, self.account, [(it.chapter, _signature(it.chapter.path)) for it in described])

    def move_to(self, path: Path, state: Waits, **values: str | None) -> None:
        """How far one is; `values` are `problem` and `chapter_id`."""
        self.queue.move_to(self.host, self.account, path, state, **values)


class Batch:
    """Uploads chapters."""

    def __init__(self, uploader: Uploader, place: Place, reporter: Reporter, output: Output, many: Many) -> None:
        self._uploader = uploader
        self._place = place
        self._reporter = reporter
        self._output = output
        self._fail_fast = many.fail_fast
        self._done_to = many.move_done
        self._may_repeat = True
        self._endings: dict[Path, Ending] = {}

    async def run(self, described: Sequence[Described], *, allow_duplicate: bool = False) -> list[Ending]:
        """Upload them; how each ended."""
        self._may_repeat = not allow_duplicate  # else what was committed unseen would be published again
        by_path = {it.chapter.path: it for it in described}
        ordered = [by_path[it.path] for it in self._uploader.unfinished_first([it.chapter for it in described])]
        self._endings = {it.chapter.path: Ending(it.chapter.path, What.WAITING) for it in ordered}
        self._place.add(ordered)
        await self._upload(*await self._checked(ordered, allow_duplicate=allow_duplicate))
        return list(self._endings.values())

    async def _checked(
        self, ordered: Sequence[Described], *, allow_duplicate: bool
    ) -> tuple[list[Described], Plan | None]:
        """Those that may be sent, and the plan of the first of them: the others' are made again, one at a time."""
        first_pass = FirstPass(self._uploader, self._output, allow_duplicate=allow_duplicate)
        first, good = None, []
        for it in ordered:
            plan = await first_pass.plan(it)
            if plan is not None:
                first = first or plan
                good.append(it)
            del plan
        for ending in first_pass.endings:
            self._ended(ending)
        if len(ordered) > 1:
            self._output.say(f"{len(good)} of {len(ordered)} chapters passed their checks")
        return ([], None) if self._fail_fast and first_pass.endings else (good, first)

    async def _upload(self, described: Sequence[Described], first: Plan | None) -> None:
        if first is None:
            return
        left = len(described)
        async with aclosing(plans_ahead(self._uploader, [it.chapter for it in described], first)) as plans:
            del first
            async for plan in plans:
                left -= 1
                path = described[-1 - left].chapter.path
                if isinstance(plan, Exception):  # changed since it was checked
                    self._ended(failed(path, plan, self._output))
                    goes_on = True
                else:
                    goes_on = await self._publish(path, plan, others_follow=left > 0)
                if left and (not goes_on or (self._fail_fast and self._endings[path].status)):
                    return

    async def _publish(self, path: Path, plan: Plan, *, others_follow: bool) -> bool:
        """Whether others may follow."""
        self._place.move_to(path, Waits.RUNNING)
        for tries in range(1, CHAPTER_TRIES + 1):
            try:
                self._done(path, await self._uploader.publish(plan))
            except Exception as error:  # noqa: BLE001 - an unexpected one goes on
                self._reporter.stop()
                is_last = tries == CHAPTER_TRIES or not self._may_repeat
                if isinstance(error, TryLater) and others_follow and not is_last:
                    self._output.say(f"{plan.chapter.label}: {error.problem} Trying this chapter once more.")
                    continue
                self._ended(failed(path, error, self._output))
                return not others_follow or self._fail_fast or await self._is_free_after(error, plan)
            break
        return True

    async def _is_free_after(self, error: Exception, plan: Plan) -> bool:
        """Make sure that the others can have a session: an account has one."""
        if isinstance(error, ForeignSession | SignInNeeded):
            self._output.problem("The other chapters would meet the same, and are left for later.")
            return False
        try:
            if isinstance(error, TryLater):
                await self._uploader.open_session()  # says so if nothing can be asked at all
            if await self._uploader.give_up(plan):
                self._output.say(
                    f"{plan.chapter.label}: its session was given up, so that the others can have one; its pages are "
                    f"sent again another time"
                )
        except UploadError as blocked:
            self._output.problem(f"The other chapters are left for later: {blocked.problem}")
            return False
        return True

    def _done(self, path: Path, result: Result) -> None:
        self._reporter.result(result)
        what = What.FINISHED if result.already_done else What.PUBLISHED if result.confirmed else What.COMMITTED
        self._ended(Ending(path, what, chapter_id=result.chapter_id))
        if self._done_to is not None and result.confirmed:
            self._move(path, self._done_to)

    def _move(self, path: Path, folder: Path) -> None:
        try:
            target = move_into(folder, path)
        except UploadError as error:
            self._output.tell("note", path=str(path), text=error.problem)
            self._output.problem(error.problem)
        else:
            self._output.tell("moved", path=str(path), to=str(target))
            self._output.say(f"{path}: moved to {target}")

    def _ended(self, ending: Ending) -> None:
        self._endings[ending.path] = ending
        state = Waits.FAILED if ending.what is What.FAILED else Waits.DONE
        self._place.move_to(ending.path, state, problem=ending.problem, chapter_id=ending.chapter_id)


def _signature(path: Path) -> str:
    try:
        return signature(path)
    except OSError:  # it is gone, as its check will say
        return ""
