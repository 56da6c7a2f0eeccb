"""Work side by side, and in order where order matters."""

import queue
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Job = Callable[[], None]
WAITING = 16  # jobs in a lane, before the one who brings more has to wait
TICK = 0.2


class Lanes:
    """Jobs of one key run in the order in which they came; those of others do not wait for them.

    Leaving the block waits for all of it, unless something failed: then what has begun is ended.
    """

    def __init__(self, count: int) -> None:
        self._failure: BaseException | None = None
        self._stopped = threading.Event()
        self._lanes: list[queue.Queue[Job | None]] = [queue.Queue(WAITING) for _ in range(count)]
        self._workers = [threading.Thread(target=self._work, args=[lane]) for lane in self._lanes]

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                for lane in self._lanes:
                    self._put(lane, None)
                self._join()
        finally:
            self._stopped.set()
            self._join()
        if error is None:
            self._raise()

    def put(self, key: str, job: Job) -> None:
        self._put(self._lanes[zlib.crc32(key.encode()) % len(self._lanes)], job)
        self._raise()

    def _put(self, lane: "queue.Queue[Job | None]", job: Job | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                lane.put(job, timeout=TICK)
                return

    def _work(self, lane: "queue.Queue[Job | None]") -> None:
        while not self._stopped.is_set():
            try:
                job = lane.get(timeout=TICK)
            except queue.Empty:
                continue
            if job is None:
                return
            self._run(job)

    def _run(self, job: Job) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the work comes from
            self._failure = self._failure or error
            self._stopped.set()

    def _join(self) -> None:
        for worker in self._workers:
            worker.join()

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure
