"""The commands about who uploads."""

from __future__ import annotations

from mangadex_uploader.command_line import command
from mangadex_uploader.options import Reach, Talking
from mangadex_uploader.output import Output


@command
def login(reach: Reach, talking: Talking, output: Output) -> None:
    """Sign in once, and stay signed in. The password is not kept.

    Needs a personal client: its id and secret are in the settings of your account on the website. Password and
    secret are asked, or taken from MANGADEX_PASSWORD and MANGADEX_CLIENT_SECRET.
    """
    from mangadex_uploader.run_account import sign_in  # noqa: PLC0415 - slow to load, and only for this

    sign_in(reach, talking, output)


@command
def logout(reach: Reach, output: Output) -> None:
    """Forget the login: the client secret and the tokens."""
    from mangadex_uploader.run_account import sign_out  # noqa: PLC0415 - slow to load, and only for this

    sign_out(reach, output)


@command
def whoami(reach: Reach, talking: Talking, output: Output) -> None:
    """Ask the service whose access this is."""
    from mangadex_uploader.run_account import show_account  # noqa: PLC0415 - slow to load, and only for this

    show_account(reach, talking, output)
