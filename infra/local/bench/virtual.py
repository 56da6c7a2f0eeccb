"""Many at once, in time that only passes when all of them wait: threads, of which one runs."""

import heapq
import threading
from collections.abc import Callable
from itertools import count


class VirtualTime:
    """Whoever pauses hands over to whose turn is next: the same run again is the same run."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, threading.Semaphore]] = []
        self._numbers = count()
        self._over = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def start(self, deed: Callable[[], object], at: float = 0.0) -> None:
        """Let it happen from this instant on, beside all others."""
        turn = threading.Semaphore(0)
        self._await(max(at, self.now), turn)

        def run() -> None:
            turn.acquire()
            try:
                deed()
            finally:
                self._next()

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def pause(self, seconds: float) -> None:
        turn = threading.Semaphore(0)
        self._await(self.now + seconds, turn)
        self._next()
        turn.acquire()

    def run(self) -> None:
        """Until nothing is left to happen."""
        self._next()
        self._over.acquire()
        for thread in self._threads:
            thread.join()

    def clock(self) -> float:
        return self.now

    def _await(self, at: float, turn: threading.Semaphore) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), turn))

    def _next(self) -> None:
        if not self._due:
            self._over.release()
            return
        self.now, _, turn = heapq.heappop(self._due)
        turn.release()
