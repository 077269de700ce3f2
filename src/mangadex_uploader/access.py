"""By which right the service is asked: a token of the environment, a personal client of it, or the stored login."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

import mangadex_openapi as sdk
from mangadex_uploader import credentials
from mangadex_uploader.asking import missing
from mangadex_uploader.errors import SignInNeeded, UsageError
from mangadex_uploader.failures import is_debugging
from mangadex_uploader.options import Reach
from mangadex_uploader.settings import SettingsFile
from mangadex_uploader.token_keeper import TokenKeeper

USER_AGENT = f"mangadex-uploader/{sdk.__version__}"


@dataclass(frozen=True, slots=True)
class Access:
    """Settings of a client that is signed in. `account` is None where only the service knows; people read `origin`."""

    configuration: sdk.Configuration
    account: str | None
    origin: str


def host_of(reach: Reach) -> str:
    """The service's address as it is asked."""
    return configuration_for(reach).host


def configuration_for(
    reach: Reach, *, access_token: str | None = None, auth: sdk.PersonalClient | None = None
) -> sdk.Configuration:
    """Settings of a client.

    Raises:
        UsageError: an option that cannot be used.
    """
    try:
        configuration = sdk.Configuration(
            reach.api_url,
            access_token=access_token,
            auth=auth,
            user_agent=USER_AGENT,
            pacing=not reach.no_pacing,
            debug=is_debugging(),
        )
    except sdk.InvalidRequest as error:
        names = {"host": "--api-url", "auth_url": "--auth-url"}
        raise UsageError(f"{names.get(error.field, error.field)}: {error.problem}.") from error
    if reach.no_pacing and not configuration.is_on_this_machine:
        raise UsageError(
            f"--no-pacing is for a service on this machine, and {configuration.host} is not. Leave it out."
        )
    return configuration


def access(reach: Reach, file: SettingsFile) -> Access:
    """The right to ask, by what is given and what is stored. A given token goes first.

    Raises:
        SignInNeeded: there is none.
        UsageError: an option that cannot be used.
    """
    if token := file.secret("access-token"):
        configuration = configuration_for(reach, access_token=token)
        return Access(configuration, account_in(token), "MANGADEX_ACCESS_TOKEN")
    kept = credentials.find(host_of(reach))
    if kept is not None and reach.username is not None and reach.username.lower() != kept.login.username.lower():
        kept = None
    username = reach.username or (kept.login.username if kept else None)
    client_id = reach.client_id or (kept.login.client_id if kept else None)
    client_secret = file.secret("client-secret") or (kept.client_secret() if kept else None)
    password = file.secret("password")
    if kept is None:
        _check_all_given(username, password, client_id, client_secret)
    auth = sdk.PersonalClient(
        username=str(username),
        password=password,
        client_id=str(client_id),
        client_secret=str(client_secret),
        auth_url=reach.auth_url or (kept.login.auth_url if kept else None),
        token_store=TokenKeeper(kept) if kept else sdk.MemoryTokenStore(),
    )
    origin = f"the login in {kept.where}" if kept else "the given user name and password"
    return Access(configuration_for(reach, auth=auth), str(username).lower(), origin)


async def account_of(client: sdk.AsyncApiClient, given: Access) -> str:
    """The account's name in small letters.

    Raises:
        OpenApiException: only the service knows, and does not say.
        SignInNeeded: the token is nobody's.
    """
    return given.account or str((await user(client)).username).lower()


async def user(client: sdk.AsyncApiClient) -> sdk.UserAttributes:
    """Who is signed in.

    Raises:
        OpenApiException: the service does not say.
        SignInNeeded: nobody is.
    """
    found = (await sdk.AsyncUserApi(client).get_user_me()).data
    if found is None or found.attributes is None or not found.attributes.username:
        raise SignInNeeded("The service does not say whose access this is: sign in with `mangadex login`.")
    return found.attributes


def account_in(token: str) -> str | None:
    """The account that a token names, if it is a JWT (contract 6.1). It is not verified; the service does that."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        name = claims.get("preferred_username") or claims.get("sub")
    except (IndexError, binascii.Error, ValueError, AttributeError):
        return None
    return name.lower() if isinstance(name, str) and name else None


def _check_all_given(
    username: str | None, password: str | None, client_id: str | None, client_secret: str | None
) -> None:
    given = {"username": username, "password": password, "client-id": client_id, "client-secret": client_secret}
    absent = [name for name, value in given.items() if not value]
    if len(absent) == len(given):
        raise SignInNeeded("Nobody is signed in: run `mangadex login`, or set MANGADEX_ACCESS_TOKEN.")
    if absent:
        raise SignInNeeded(" ".join(missing(name, f"The {name.replace('-', ' ')}") for name in absent))
