"""The parts of an installation. `app` puts HTTP in front of them, commands work on them directly."""

from __future__ import annotations

from mangadex_server.account_changes import AccountChanges
from mangadex_server.accounts import Accounts
from mangadex_server.blobs import LocalBlobs
from mangadex_server.catalog import Catalog
from mangadex_server.chapters import Chapters
from mangadex_server.commits import Commits
from mangadex_server.database import Database
from mangadex_server.failed_sign_ins import FailedSignIns
from mangadex_server.jobs import Jobs
from mangadex_server.metrics import Metrics
from mangadex_server.passwords import Passwords
from mangadex_server.review import Review
from mangadex_server.session_files import SessionFiles
from mangadex_server.settings import Settings
from mangadex_server.sign_ins import SignIns
from mangadex_server.signing_keys import signing_key
from mangadex_server.stores import Blobs
from mangadex_server.sweep import Sweep
from mangadex_server.tokens import Tokens
from mangadex_server.uploads import Sessions
from mangadex_server.worker import Worker


class Parts:
    """Everything that an installation is made of, from its settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        is_durable = settings.durability == "full"
        self.database = Database(settings.database, durable=is_durable)
        self.blobs = blobs_of(settings)
        self.jobs = Jobs(self.database, settings)
        is_guarded = not settings.sandbox or settings.limits_are_on
        passwords = Passwords(FailedSignIns(self.database) if is_guarded else None)
        self.metrics = Metrics()
        self.tokens = Tokens(signing_key(settings), settings.public_url or settings.own_url, settings)
        self.accounts = Accounts(self.database, self.tokens, passwords)
        self.account_changes = AccountChanges(self.database, self.accounts)
        self.sign_ins = SignIns(self.database, self.tokens, passwords)
        self.catalog = Catalog(self.database)
        self.chapters = Chapters(self.database, settings)
        self.sessions = Sessions(self.database, settings)
        self.session_files = SessionFiles(self.database, settings)
        self.commits = Commits(self.database, self.jobs, settings)
        self.review = Review(self.database)
        self.sweep = Sweep(self.database, self.blobs, settings.data_dir)
        self.worker = Worker(self.database, self.blobs, self.jobs, settings, on_end=self.metrics.chapter_processed)


def blobs_of(settings: Settings) -> Blobs:
    """The store of blobs that the settings name."""
    folder = settings.data_dir / "blobs"
    if settings.blobs_url is not None:
        from mangadex_server.object_blobs import ObjectBlobs  # noqa: PLC0415 - slow to load

        return ObjectBlobs(settings.blobs_url, folder)
    return LocalBlobs(folder, durable=settings.durability == "full")
