"""Passwords that are guessed first. The rest of the defence is in `passwords` and `guessing`."""

from __future__ import annotations

MIN_CHARS = 8
MIN_DIFFERENT = 5

COMMON = """
    12345678 123456789 1234567890 87654321 11111111 00000000 123123123 1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 qwerty123
    qwertyui qwertyuiop asdfghjk asdfghjkl zxcvbnm1 qwerty12 password password1 password12 password123 passw0rd p@ssw0rd
    passwort iloveyou iloveyou1 sunshine princess princess1 football baseball superman starwars trustno1 computer
    internet whatever welcome1 letmein1 abcd1234 abc12345 a1b2c3d4 changeme changeme1 administrator admin123 dragon123
    monkey123 mangadex mangadex1 mangadex123
"""


def weakness(username: str, password: str) -> str | None:
    """Why a password is not good enough, as a sentence that says what to do; None if it is."""
    if len(password) < MIN_CHARS:
        return f"The password is too short. Choose one of at least {MIN_CHARS} characters."
    if username and username.casefold() in password.casefold() and len(password) - len(username) < MIN_CHARS:
        return "The password is little more than the username. Choose another one."
    if len(set(password)) < MIN_DIFFERENT or password.casefold() in COMMON.split():
        return "The password is one of the first that are guessed. Choose another one."
    return None
