"""What `upload --dry-run` does: all that `upload` does before it sends, and nothing that stays."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mangadex_uploader import json_output
from mangadex_uploader.access import host_of
from mangadex_uploader.chapter import Plan
from mangadex_uploader.connected import Connected
from mangadex_uploader.consent import TERMS, is_accepted
from mangadex_uploader.earlier import Earlier, is_same_chapter
from mangadex_uploader.endings import Ending, What, tell_summary
from mangadex_uploader.errors import DuplicateChapter, Unconfirmed
from mangadex_uploader.events import Planned
from mangadex_uploader.failures import common_status, report
from mangadex_uploader.first_pass import FirstPass, failed
from mangadex_uploader.options import Choices, Many, Reach, Talking, Wanted
from mangadex_uploader.output import Output, size
from mangadex_uploader.printable import printable
from mangadex_uploader.reporting import tell_changes, tell_left_out
from mangadex_uploader.run_chapters import check_done_folder, not_reached, policy_of
from mangadex_uploader.run_check import duplicate_of, in_order
from mangadex_uploader.untouched import run_untouched
from mangadex_uploader.uploader import Uploader
from mangadex_uploader.wanted_chapters import Described, WantedChapters


def dry_run_all(  # noqa: PLR0913 - groups of options
    paths: list[Path], wanted: Wanted, choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output
) -> int:
    """Show what `upload` with the same options would do; the exit status that it would have, as far as it is known.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    policy = policy_of(choices)
    check_done_folder(paths, many)
    host = host_of(reach)
    if not choices.accept_terms and not is_accepted(host):
        output.say(f"The terms of the service, {TERMS}, are not accepted yet: `upload` would ask for that.")
    chapters = WantedChapters(wanted, reach, talking, output, run_untouched)
    described = chapters.of(paths)
    check_done_folder([it.chapter.path for it in described], many)
    endings = list(chapters.ended)
    allowed = wanted.allow_duplicate

    async def look(connected: Connected) -> list[Ending]:
        uploader = connected.uploader(allow_duplicate=allowed, open_session=policy)
        earlier = Earlier(connected, uploader, allow_duplicate=allowed)
        return await _Dry(uploader, earlier, host, output, many, allow_duplicate=allowed).run(described)

    if described and many.fail_fast and chapters.has_failed:
        endings += not_reached(described)
    elif described:
        endings += run_untouched(reach, talking, output, look)
    if len(endings) > 1:
        tell_summary(endings, output)
    output.say("This was a dry run: nothing was sent, and nothing was written.")
    return common_status([it.status for it in endings])


class _Dry:
    """Looks at each chapter as an upload would."""

    def __init__(  # noqa: PLR0913 - named, each as in `Batch`
        self,
        uploader: Uploader,
        earlier: Earlier,
        host: str,
        output: Output,
        many: Many,
        *,
        allow_duplicate: bool,
    ) -> None:
        self._uploader = uploader
        self._earlier = earlier
        self._host = host
        self._output = output
        self._fail_fast = many.fail_fast
        self._allow_duplicate = allow_duplicate
        self._would: list[Plan] = []

    async def run(self, described: Sequence[Described]) -> list[Ending]:
        by_path = {it.chapter.path: it for it in described}
        ordered = [by_path[it.path] for it in self._uploader.unfinished_first([it.chapter for it in described])]
        endings = {it.path: it for it in not_reached(ordered)}
        first_pass = FirstPass(self._uploader, self._output, allow_duplicate=self._allow_duplicate)
        if self._fail_fast and not await self._is_all_good(ordered, first_pass):
            return list((endings | {it.path: it for it in first_pass.endings}).values())
        for it in ordered:
            if self._fail_fast:
                ending = await self._ending(self._uploader.plan(it.chapter), it.chapter.path)
            else:
                plan = await first_pass.plan(it)
                ending = first_pass.endings[-1] if plan is None else await self._ending(_given(plan), it.chapter.path)
            endings[ending.path] = ending
            if self._fail_fast and ending.status:
                break
        return list(endings.values())

    async def _is_all_good(self, ordered: Sequence[Described], first_pass: FirstPass) -> bool:
        """Whether none fails its check; the plans are made again, as they may hold prepared pages."""
        for it in ordered:
            await first_pass.plan(it)
        return not first_pass.endings

    async def _ending(self, planning: Awaitable[Plan], path: Path) -> Ending:
        try:
            return await self._look(await planning)
        except Exception as error:  # noqa: BLE001 - an unexpected one goes on
            return failed(path, error, self._output)

    async def _look(self, plan: Plan) -> Ending:
        """In the order of the real run: what was published, what may be, what the service has."""
        path, label = plan.chapter.path, plan.chapter.label
        self._tell_plan(plan)
        finished = self._uploader.finished(plan)
        if finished:
            self._output.say(f"{label}: nothing to do, an earlier run has published it")
            return Ending(path, What.FINISHED, chapter_id=finished.chapter_id)
        committed = await self._earlier.committed(plan)
        if committed:
            return self._after_commit(committed, label)
        double = None if self._allow_duplicate else self._double(plan)
        if double:
            self._output.say(f"{label}: has the same values and pages as {double}, and would be skipped after that")
            return Ending(path, What.FINISHED)
        found = await self._uploader.look(plan)
        self._tell_would(plan, list(found.duplicates), needs_approval=found.needs_approval)
        if found.duplicates and not self._allow_duplicate:
            raise duplicate_of(found, self._host)
        self._would.append(plan)
        return Ending(path, What.WOULD)

    def _after_commit(self, ending: Ending, label: str) -> Ending:
        if ending.problem:
            report(self._output, Unconfirmed(ending.problem), str(ending.path))
        else:
            self._output.say(f"{label}: nothing to do, an earlier run has published it")
        return ending

    def _double(self, plan: Plan) -> str | None:
        """An earlier one of this command that is the same.

        Raises:
            DuplicateChapter: there is one that the service would take for the same.
        """
        for earlier in self._would:
            label = printable(str(earlier.chapter.path))
            if earlier.identity == plan.identity and earlier.pages_digest == plan.pages_digest:
                return label
            if is_same_chapter(earlier.chapter, plan.chapter):
                raise DuplicateChapter(
                    f"{plan.chapter.label}: the service would have this chapter by then, from {label}: they "
                    f"have the same number, and one has no volume. Correct one, or use --allow-duplicate."
                )
        return None

    def _tell_plan(self, plan: Plan) -> None:
        label = plan.chapter.label
        name, keys = json_output.of_event(Planned(plan))
        self._output.tell(name, path=str(plan.chapter.path), **keys)
        count = f"{len(plan.pages)} pages, {size(plan.total_bytes)}"
        order = in_order(plan.source.names, is_whole=self._output.is_verbose)
        self._output.say(f"{label}: {count}; in this order: {order}")
        tell_changes(plan, self._output)
        for warning in plan.warnings:
            self._output.say(f"{label}: {warning}")
        tell_left_out(plan, self._output)

    def _tell_would(self, plan: Plan, duplicates: list[str], *, needs_approval: bool | None) -> None:
        keys: dict[str, Any] = {"duplicates": duplicates, "needs_approval": needs_approval}
        keys |= {"publish_at_utc": None, "publish_at_local": None}
        label, publish_at = plan.chapter.label, plan.chapter.publish_at
        if publish_at is not None:
            utc, local = publish_at.astimezone(UTC), publish_at.astimezone()
            keys |= {"publish_at_utc": utc.isoformat(), "publish_at_local": local.isoformat()}
            self._output.say(f"{label}: would become readable at {_minute(local)}, which is {_minute(utc)}")
        self._output.tell("would", path=str(plan.chapter.path), **keys)
        approval = {
            True: "it would wait for approval",
            False: "it needs no approval",
            None: "whether it needs approval is not known",
        }
        if not duplicates or self._allow_duplicate:
            self._output.say(f"{label}: would be published; {approval[needs_approval]}")


async def _given(plan: Plan) -> Plan:
    return plan


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip()
