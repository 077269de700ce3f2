"""Several chapters, one after the other: all are checked before the first byte is sent, each is told, none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from mangadex_uploader.batch_endings import Endings, ending_of, untold
from mangadex_uploader.chapter import Plan
from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import ForeignSession, SignInNeeded, TryLater, UploadError
from mangadex_uploader.events import Result
from mangadex_uploader.failures import explained
from mangadex_uploader.first_pass import FirstPass, failed
from mangadex_uploader.gone import is_gone, tell_gone
from mangadex_uploader.options import Many
from mangadex_uploader.output import Output
from mangadex_uploader.planning_ahead import Prepared, files_of, plans_ahead, prepared
from mangadex_uploader.printable import printable
from mangadex_uploader.queue_journal import Waits
from mangadex_uploader.queue_place import Forgotten, Place, Turn, signature_of
from mangadex_uploader.reporting import Reporter
from mangadex_uploader.snapshots import ChangedBefore
from mangadex_uploader.uploader import Uploader
from mangadex_uploader.wanted_chapters import Described

__all__ = ["Batch", "Place"]

CHAPTER_TRIES = 2
"""So often is a chapter begun that others follow, while what stops it may pass."""

PLANS = 3
"""So often is a chapter planned whose files change before anything of it is sent."""


class Batch:
    """Uploads chapters."""

    def __init__(self, uploader: Uploader, place: Place, reporter: Reporter, output: Output, many: Many) -> None:
        self._uploader = uploader
        self._place = place
        self._reporter = reporter
        self._output = output
        self._told = Endings(reporter, output, many.move_done)
        self._fail_fast = many.fail_fast
        self._may_repeat = True
        self._endings: dict[Path, Ending] = {}
        self._signatures: dict[Path, str] = {}

    async def run(self, described: Sequence[Described], *, allow_duplicate: bool = False) -> list[Ending]:
        """Upload them; how each ended."""
        self._may_repeat = not allow_duplicate  # else what was committed unseen would be published again
        by_path = {it.chapter.path: it for it in described}
        ordered = [by_path[it.path] for it in self._uploader.unfinished_first([it.chapter for it in described])]
        self._endings = {it.chapter.path: Ending(it.chapter.path, What.WAITING) for it in ordered}
        self._signatures = {it.chapter.path: signature_of(it.chapter.path) for it in ordered}
        self._place.add(ordered)
        await self._upload(*await self._checked(ordered, allow_duplicate=allow_duplicate))
        endings = list(self._endings.values())
        return [untold(it) for it in endings] if self._output.is_cut_off else endings

    async def _checked(
        self, ordered: Sequence[Described], *, allow_duplicate: bool
    ) -> tuple[list[Described], Prepared | None]:
        """Those that may be sent, and the plan of the first of them: the others' are made again, one at a time."""
        first_pass = FirstPass(self._uploader, self._output, self._failed, allow_duplicate=allow_duplicate)
        first, good = None, []
        for it in ordered:
            files = await files_of(it.chapter)
            plan = await first_pass.plan(it)
            if plan is not None:
                first = first or Prepared(it.chapter, plan, files)
                good.append(it)
            del plan
        for ending in first_pass.endings:
            self._ended(ending)
        if len(ordered) > 1:
            self._output.say(f"{len(good)} of {len(ordered)} chapters passed their checks")
        has_failed = any(it.what is What.FAILED for it in first_pass.endings)
        return ([], None) if self._fail_fast and has_failed else (good, first)

    async def _upload(self, described: Sequence[Described], first: Prepared | None) -> None:
        if first is None:
            return
        left = len(described)
        async with aclosing(plans_ahead(self._uploader, [it.chapter for it in described], first)) as plans:
            del first
            async for found in plans:
                left -= 1
                path = described[-1 - left].chapter.path
                if isinstance(found, Exception):  # changed since it was checked
                    self._ended(self._failed(path, found))
                    goes_on = True
                else:
                    goes_on = await self._publish(found, others_follow=left > 0)
                if left and (not goes_on or (self._fail_fast and self._endings[path].status)):
                    return

    async def _publish(self, found: Prepared, *, others_follow: bool) -> bool:
        """Whether others may follow."""
        path = found.chapter.path
        for tries in range(1, CHAPTER_TRIES + 1):
            try:
                found, result = await self._sent(found)
                break
            except Exception as error:  # noqa: BLE001 - an unexpected one goes on
                self._reporter.stop()
                is_last = tries == CHAPTER_TRIES or not self._may_repeat or not others_follow
                if is_last or not isinstance(error, TryLater):
                    return await self._stopped(path, error, found.plan, others_follow=others_follow)
                self._output.say(f"{found.chapter.label}: {error.problem} Trying this chapter once more.")
        ending = ending_of(path, result)
        self._signatures[path] = found.files.signature
        self._ended(ending)
        self._told.tell(ending, result)
        if result.confirmed:
            self._told.move(path, found.files.unchanged.was)
        return True

    async def _sent(self, found: Prepared) -> tuple[Prepared, Result]:
        """Publish it with what is there when its turn comes, and nobody else's upload is running."""
        for _ in range(PLANS):
            turn = Turn(self._place, found.files.unchanged, found.files.signature)
            try:
                return found, await self._uploader.publish(found.plan, turn)
            except ChangedBefore as error:
                self._output.say(
                    f"{printable(str(found.chapter.path))}: changed since it was checked, and is checked again: "
                    f"{error.changes}"
                )
                changed = error
            found = await prepared(self._uploader, found.chapter)
        raise changed

    async def _stopped(self, path: Path, error: Exception, plan: Plan, *, others_follow: bool) -> bool:
        """Tell, and make sure that the others can have a session: an account has one. Whether they may follow."""
        if isinstance(error, Forgotten):
            self._output.tell("left_out", path=str(path), problem=error.problem)
            self._output.say(error.problem)
            self._ended(Ending(path, What.WAITING, problem=error.problem))
            return True
        if not others_follow or self._fail_fast or explained(error) is None:
            self._ended(self._failed(path, error))
            return True
        blocked, is_given_up = None, False
        try:
            is_given_up = await self._make_room(error, plan)
        except UploadError as reason:
            blocked = reason.problem
        self._ended(self._failed(path, error))
        if is_given_up:
            self._output.say(
                f"{plan.chapter.label}: its session was given up, so that the others can have one; its "
                f"pages are sent again another time"
            )
        if blocked:
            self._output.problem(f"The other chapters are left for later: {blocked}")
        return blocked is None

    async def _make_room(self, error: Exception, plan: Plan) -> bool:
        """Whether a session was given up for the others.

        Raises:
            UploadError: they cannot have one.
        """
        if isinstance(error, ForeignSession | SignInNeeded):
            raise UploadError("they would meet the same.")
        if isinstance(error, TryLater):
            await self._uploader.open_session()  # says so if nothing can be asked at all
        return await self._uploader.give_up(plan)

    def _failed(self, path: Path, error: Exception) -> Ending:
        """Tell of a failure, unless another command has published it meanwhile, and moved it away."""
        known = self._place.find(path)
        if known is not None and known.state is Waits.DONE and self._signatures[path] and is_gone(path):
            return tell_gone(path, [known], self._output)
        return failed(path, error, self._output)

    def _ended(self, ending: Ending) -> None:
        self._endings[ending.path] = ending
        self._place.ended(ending, self._signatures[ending.path])
