"""How often somebody may ask: per user and per address, in memory, over a sliding minute."""

from __future__ import annotations

import math
from time import time
from typing import TYPE_CHECKING

from rag.errors import ReadbackError

if TYPE_CHECKING:
    from limits import RateLimitItem as Limit

OTHER_PER_QUESTION = 10  # a page makes several small requests for one question
UPLOADS_PER_HOUR = {"user": 20, "address": 100}  # of the largest size; smaller ones count for less
LOGINS_PER_MINUTE = 20  # from one address
NEWCOMERS_PER_MINUTE = 100  # browsers that get a cookie, from one address; further ones are counted by the address


class RateLimited(ReadbackError):
    """Too many requests: ``retry_after_s`` says when the next one can be tried."""

    def __init__(self, retry_after_s: int) -> None:
        """retry_after_s: whole seconds, at least 1."""
        self.retry_after_s = retry_after_s
        super().__init__(f"Too many requests. Please try again in {retry_after_s} s.")


class Rates:
    """The limits of one server."""

    def __init__(self, user_per_minute: int, address_per_minute: int, upload_mb: int) -> None:
        """Questions a minute; 0 for no limit, on uploads as well. upload_mb: size of the largest."""
        from limits import RateLimitItemPerHour, RateLimitItemPerMinute
        from limits.storage import MemoryStorage
        from limits.strategies import SlidingWindowCounterRateLimiter

        def per_minute(amount: int, what: str) -> RateLimitItemPerMinute | None:
            return RateLimitItemPerMinute(amount, namespace=what) if amount else None

        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._user = per_minute(user_per_minute, "user")
        self._address = per_minute(address_per_minute, "address")
        self._other = {
            "user": per_minute(user_per_minute * OTHER_PER_QUESTION, "user-other"),
            "address": per_minute(address_per_minute * OTHER_PER_QUESTION, "address-other"),
        }
        self._upload_mb = upload_mb
        self._uploads = {
            what: RateLimitItemPerHour(UPLOADS_PER_HOUR[what] * upload_mb, namespace=f"upload-{what}")
            for what, limit in (("user", self._user), ("address", self._address))
            if limit is not None
        }
        self._newcomers = RateLimitItemPerMinute(NEWCOMERS_PER_MINUTE, namespace="newcomer")
        self._guesses = RateLimitItemPerMinute(LOGINS_PER_MINUTE, namespace="guess")

    def question(self, user: str, address: str | None) -> None:
        """Count a question of a user, from an address if it came over the network. Raises RateLimited."""
        if address is not None:
            self._hit(self._address, address)
        self._hit(self._user, user)

    def request(self, user: str, address: str) -> None:
        """Count any other request that costs something. Raises RateLimited."""
        self._hit(self._other["address"], address)
        self._hit(self._other["user"], user)

    def upload(self, user: str, address: str, size: int | None) -> None:
        """Count a file, which will lie on the disk for a while. size: in bytes; None: unknown. Raises RateLimited."""
        megabytes = self._upload_mb if size is None else min(self._upload_mb, size // 1_000_000 + 1)
        self._hit(self._uploads.get("address"), address, megabytes)
        self._hit(self._uploads.get("user"), user, megabytes)

    def guess(self, address: str) -> None:
        """Count a try to log in or a wrong key, before anything costly is done about it. Raises RateLimited."""
        self._hit(self._guesses, address)

    def newcomer(self, address: str) -> bool:
        """Count a browser that comes for the first time; whether it may have an id of its own."""
        return self._limiter.hit(self._newcomers, address)

    def _hit(self, limit: Limit | None, who: str, cost: int = 1) -> None:
        if limit is not None and not self._limiter.hit(limit, who, cost=cost):
            raise RateLimited(self._wait_s(limit, who))

    def _wait_s(self, limit: Limit, who: str) -> int:
        return max(1, math.ceil(self._limiter.get_window_stats(limit, who).reset_time - time()))
