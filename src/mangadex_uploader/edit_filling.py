"""An edit session gets all pages of a plan that it does not have."""

from __future__ import annotations

from collections.abc import Sequence

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import Plan, PlannedPage
from mangadex_uploader.edit_plan import Present
from mangadex_uploader.edit_stock import stock_of, unknown_pages
from mangadex_uploader.errors import TryLater
from mangadex_uploader.events import Note
from mangadex_uploader.inventory import Inventory, OpenSession
from mangadex_uploader.publishing import RECONCILIATIONS
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import session_lost
from mangadex_uploader.transfer import Transfer


class Filling:
    """Sends one chapter's pages."""

    def __init__(self, service: Service, planned: Present, plan: Plan) -> None:
        self._service = service
        self._planned = planned
        self._plan = plan

    async def fill(
        self, session: OpenSession, stock: Inventory, missing: Sequence[PlannedPage], *, is_resumed: bool
    ) -> Transfer:
        """Send what is missing of the `stock`; what was sent then, and which file each page is.

        Raises:
            SessionLost: it was closed elsewhere.
            UploadError: a page cannot be sent; the session stays, with the others.
        """
        if missing:
            self._tell_unknown(session)
            await self._remove(session.id, stock.surplus)  # else there may be no room for what is to come
        transfer = Transfer(self._service, session.id, self._plan, stock.stored, doubtful=is_resumed)
        await transfer.send(missing)
        await self._reconcile(transfer, session.id)
        return transfer

    def _tell_unknown(self, session: OpenSession) -> None:
        unknown = unknown_pages(self._service, self._plan, session)
        if not session.files and self._planned.pages:
            unknown = self._planned.pages
        if unknown:
            self._service.emit(
                Note(
                    f"The service does not say what {unknown} of the chapter's present pages are, so pages that may be "
                    "among them are sent again."
                )
            )

    async def _reconcile(self, transfer: Transfer, session_id: str) -> None:
        """Make the session have all pages of the plan, if it may not; what it has besides falls away at the commit."""
        for _ in range(RECONCILIATIONS):
            if not transfer.doubtful:
                return
            present = await self._service.open_session()
            if present is None or present.id != session_id:
                raise session_lost(session_id)
            stock = stock_of(self._service, self._plan, present)
            transfer.doubtful = False
            if present.files:
                transfer.stored = stock.stored
            await transfer.send([page for page in self._plan.pages if page.position not in transfer.stored])
        if transfer.doubtful:
            raise TryLater("The session keeps changing while it is compared with the plan. Run the same command again.")

    async def _remove(self, session_id: str, surplus: list[str]) -> None:
        if not surplus:
            return
        try:
            await self._service.sessions.delete_uploaded_session_files(session_id, request_body=surplus)
        except mangadex.OpenApiException as error:  # they fall away at the commit anyway (contract 5.3)
            self._service.emit(Note(f"Pages that the chapter shall lose are left to the commit to drop: {error}"))
        else:
            self._service.journal.forget_files(session_id, surplus)
