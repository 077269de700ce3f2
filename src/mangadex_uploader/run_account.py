"""What `login`, `logout` and `whoami` do."""

from __future__ import annotations

import mangadex_openapi as sdk
from mangadex_uploader import credentials, interrupts
from mangadex_uploader.access import Access, access, configuration_for, host_of, user
from mangadex_uploader.asking import required
from mangadex_uploader.credentials import Login
from mangadex_uploader.errors import SignInNeeded
from mangadex_uploader.options import Reach, Talking
from mangadex_uploader.output import Output
from mangadex_uploader.secret_stores import StoreUnusableError
from mangadex_uploader.token_keeper import as_text

STOPPING = "Stopping."


class _Caught:
    """A token store that lets the tokens of one sign-in be taken out."""

    tokens: sdk.Tokens | None = None

    def load(self, key: sdk.TokenKey) -> sdk.Tokens | None:  # noqa: ARG002 - one key
        """The tokens, once they are there."""
        return self.tokens

    def save(self, key: sdk.TokenKey, tokens: sdk.Tokens | None) -> None:  # noqa: ARG002 - one key
        """Take them."""
        self.tokens = tokens


def sign_in(reach: Reach, talking: Talking, output: Output) -> None:
    """Get tokens by the password, and keep them with the client secret.

    Raises:
        UsageError: something is missing.
        LoginRefused: the credentials are wrong.
        SignInNeeded: they can be kept nowhere.
    """
    host = host_of(reach)
    username = reach.username or required(talking, "username", "User name")
    password = talking.file.secret("password") or required(talking, "password", "Password")
    client_id = reach.client_id or required(talking, "client-id", "Client id")
    client_secret = talking.file.secret("client-secret") or required(talking, "client-secret", "Client secret")
    caught = _Caught()
    auth = sdk.PersonalClient(
        username=username,
        password=password,
        client_id=client_id,
        client_secret=client_secret,
        auth_url=reach.auth_url,
        token_store=caught,
    )
    name = _user(Access(configuration_for(reach, auth=auth), username, ""), output).username
    assert caught.tokens is not None  # noqa: S101 - the request needed them
    try:
        kept, problem = credentials.keep(
            Login(host, username, client_id, reach.auth_url), client_secret, as_text(caught.tokens)
        )
    except StoreUnusableError as error:
        raise SignInNeeded(f"You are {name}, but the login cannot be kept: {error}.") from error
    output.tell("login", host=host, username=name, store=kept.login.store)
    reason = f", since {problem}" if problem else ""
    output.say(f"Signed in as {name} at {host}. Client secret and tokens are in {kept.where}{reason}.")


def sign_out(reach: Reach, output: Output) -> None:
    """Forget the login.

    Raises:
        SignInNeeded: a secret cannot be removed.
    """
    host = host_of(reach)
    kept = credentials.find(host)
    if kept is not None:
        try:
            credentials.forget(kept)
        except StoreUnusableError as error:
            raise SignInNeeded(f"The login is still in {kept.where}: {error}.") from error
    output.tell("logout", host=host, was_signed_in=kept is not None)
    output.say(f"Signed out from {host}." if kept else f"Nobody was signed in at {host}.")


def show_account(reach: Reach, talking: Talking, output: Output) -> None:
    """Show whose access this is.

    Raises:
        SignInNeeded: nobody is signed in.
        OpenApiException: the service does not say.
    """
    given = access(reach, talking.file)
    found = _user(given, output)
    output.tell("account", username=found.username, host=given.configuration.host, by=given.origin)
    output.result(str(found.username))
    output.say(f"at {given.configuration.host}, by {given.origin}")


def _user(given: Access, output: Output) -> sdk.UserAttributes:
    async def ask() -> sdk.UserAttributes:
        async with sdk.AsyncApiClient(given.configuration) as client:
            return await user(client)

    return interrupts.run(ask(), lambda: output.say(STOPPING))
