"""What all checks share: results that are printed as they come, and waiting for a condition with a deadline."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from typing import Callable

DEADLINE_SECONDS = 30.0


@dataclass
class Report:
    """Collects what passed and what failed."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def check(self, name: str, body: Callable[[], object]) -> None:
        """Runs a check; an exception or False fails it, and the others go on."""
        try:
            fine = body() is not False
            reason = "" if fine else "it is not so"
        except Exception as error:
            traceback.print_exc()
            fine, reason = False, f"{type(error).__name__}: {error}"
        if fine:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed.append(name)
            print(f"FAILED  {name}: {reason}", flush=True)


def equal(left: object, right: object) -> bool:
    """Like ==, but says what differs."""
    if left != right:
        raise AssertionError(f"{left!r}\n is not\n{right!r}")
    return True


def eventually(condition: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> bool:
    """Polls until the condition holds; raises at the deadline with the last thing that stood against it."""
    end = time.monotonic() + seconds
    last: Exception | None = None
    while time.monotonic() < end:
        try:
            if condition() is not False:
                return True
        except AssertionError as error:
            last = error
        time.sleep(0.02)
    raise AssertionError(f"{what}: not so after {seconds} s. {last or ''}")
