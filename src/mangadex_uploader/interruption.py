"""What a signal raises. Apart from `interrupts`, whose asyncio takes a while to load."""

from __future__ import annotations


class InterruptedBySignalError(Exception):
    """The work was stopped by a signal; the exit status is 128 and its number, as a shell has it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_status = 128 + number
