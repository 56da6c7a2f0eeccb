"""Python functions run as on AWS.

Unpatched: they run on the emulator's own interpreter and see its packages and its environment;
every exception has the type Runtime.HandlerError and kills its process; each process unpacks its
own copy of every layer; a silent call waits 50 ms for log lines that never come.
"""

import hashlib
import io
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import IO, Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from infra.local.patches.function_host import END_OF_LOG
from infra.local.patches.source import replace, require

HOST = Path(__file__).with_name("function_host.py")
PASSED_ON = ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE")
LOG_PATIENCE = 0.5
INIT_PATIENCE = 60
MOST_PROCESSES = 24  # of about 57 MB each
unpacking = threading.Lock()


def apply() -> None:
    require("Worker", lambda_runtime.Worker, "a0bd1819a704")
    replace(lambda_runtime, "_worker_class_for", "b5a23849280a", worker_class_for)
    replace(lambda_svc, "_execute_function_warm", "62b9218bef5b", execute_function)


def worker_class_for(config: dict[str, Any]) -> Any:
    if str(config.get("Runtime", "")).startswith("python"):
        return FunctionProcess
    return lambda_runtime.Worker


class FunctionProcess(lambda_runtime.Worker):  # type: ignore[misc]  # an untyped package
    """One execution environment. The pool that leases it is the emulator's."""

    _proc: Any  # declared by the emulator: the process, or None when it has ended

    def _spawn(self) -> None:
        make_room()
        self._proc = subprocess.Popen(
            [os.environ["LOCAL_FUNCTION_PYTHON"], "-I", str(HOST)],
            cwd=self.code(),
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._answers = follow(self._proc.stdout)
        self._log = follow(self._proc.stderr)
        self.send(self.introduction())
        self._initialised = self.answer(INIT_PATIENCE)
        self._init_log = self.collect_log()

    def code(self) -> str:
        return unpacked(self.code_zip)

    def environment(self) -> dict[str, str]:
        config = self.config
        account, region = lambda_runtime._account_region_from_function_config(config)
        name = config.get("FunctionName", "")
        variables = config.get("Environment", {}).get("Variables", {})
        return {
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            **lambda_runtime.execution_credentials(config),
            "TZ": ":UTC",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCOUNT_ID": account,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": hashlib.sha256(os.urandom(16)).hexdigest()[:32],
            "LAMBDA_TASK_ROOT": self.code(),
            **{key: str(value) for key, value in variables.items()},
        }

    def introduction(self) -> dict[str, Any]:
        module, handler = self.config["Handler"].rsplit(".", 1)
        return {
            "path": [*self.layers(), self.code()],
            "module": module.replace("/", "."),
            "handler": handler,
            "function_name": self.config.get("FunctionName", ""),
            "memory": self.config.get("MemorySize", 128),
        }

    def layers(self) -> list[str]:
        references = self.config.get("Layers", [])
        archives = [lambda_svc._resolve_layer_zip(reference) for reference in references]
        return [unpacked(archive) + "/python" for archive in archives if archive]

    def send(self, message: dict[str, Any]) -> None:
        try:
            self._proc.stdin.write(json.dumps(message) + "\n")
            self._proc.stdin.flush()
        except OSError:
            pass  # it has ended; the missing answer says so

    def answer(self, patience: float) -> dict[str, Any]:
        line = self._answers.get(timeout=patience)
        if line is not None:
            return dict(json.loads(line))
        return {"status": "error", "type": "Runtime.ExitError", "error": "Runtime exited"}

    def invoke(
        self,
        event: Any,
        request_id: str,
        *,
        trace_id: str | None = None,
        invoked_function_arn: str | None = None,
        **_more: Any,
    ) -> dict[str, Any]:
        with self._lock:
            cold = self.start()
            if self._initialised["status"] == "ready":
                arn = invoked_function_arn or self.config.get("FunctionArn", "")
                result = self.call(event, request_id, trace_id, arn)
            else:
                result = {**self._initialised, "broken": True, "logged": True}
            result["cold_start"] = cold
            result["log"] = self.init_log(cold) + self.collect_log(result)
            if result.pop("broken", False):
                self.discard()
            return result

    def start(self) -> bool:
        if self._proc is not None and self._proc.poll() is None:
            return False
        self._spawn()
        return True

    def call(self, event: Any, request_id: str, trace_id: str | None, arn: str) -> dict[str, Any]:
        seconds = float(self.config.get("Timeout", 3))
        call = {"request_id": request_id, "arn": arn, "trace_id": trace_id}
        self.send({"event": event, "timeout_ms": int(seconds * 1000), **call})
        try:
            result = self.answer(seconds)
        except queue.Empty:
            message = f"Task timed out after {int(seconds)}.00 seconds"
            return {"status": "error", "type": "Sandbox.Timedout", "error": message, "broken": True}
        return {**result, "broken": result.get("type") == "Runtime.ExitError"}

    def init_log(self, cold: bool) -> str:
        return self._init_log + "\n" if cold and self._init_log else ""

    def collect_log(self, result: dict[str, Any] | None = None) -> str:
        """All lines up to the mark that ends the call, or what there is when it ended badly."""
        if result and result.pop("logged", False):
            return ""
        lines: list[str] = []
        deadline = time.monotonic() + LOG_PATIENCE
        while (line := self.log_line(deadline)) is not None:
            lines.append(line)
        return "\n".join(lines)

    def log_line(self, deadline: float) -> str | None:
        try:
            line = self._log.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        return None if line is None or line == END_OF_LOG else line.rstrip("\n")

    def discard(self) -> None:
        process, self._proc = self._proc, None
        process.kill()
        process.wait()


def make_room() -> None:
    """End the processes that rested longest, once there are too many."""
    with lambda_runtime._lock:
        alive = [w for pool in lambda_runtime._workers.values() for w in pool if w._proc]
        resting = sorted((w for w in alive if not w.in_use), key=lambda w: float(w.last_used))
        for worker in resting[: max(0, len(alive) - MOST_PROCESSES + 1)]:
            worker.discard()


def follow(stream: IO[str] | None) -> "queue.Queue[str | None]":
    """The lines of the stream as they come, and None at its end."""
    lines: queue.Queue[str | None] = queue.Queue()
    assert stream is not None
    threading.Thread(target=forward, args=(stream, lines), daemon=True).start()
    return lines


def forward(stream: IO[str], lines: "queue.Queue[str | None]") -> None:
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put(None)
    stream.close()


def unpacked(archive: bytes) -> str:
    """The one directory, read by every process, that holds the files of this archive."""
    home = Path(tempfile.gettempdir()) / "assets" / hashlib.sha256(archive).hexdigest()[:24]
    with unpacking:
        if not home.exists():
            unpack(archive, home)
    return str(home)


def unpack(archive: bytes, home: Path) -> None:
    partial = home.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(archive)) as contents:
        contents.extractall(partial)
    partial.rename(home)


def execute_function(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    config = func.get("config") or func
    lambda_svc._ensure_reaper_thread()
    worker, _ = lambda_svc.acquire_worker(
        config["FunctionName"],
        config,
        func["code_zip"],
        qualifier=config.get("Version", "$LATEST"),
    )
    try:
        trace_id = lambda_svc._xray_trace_id_for_invocation(config)
        result = worker.invoke(event, request_id, trace_id=trace_id)
    finally:
        lambda_svc.release_worker(worker)
    if result["status"] == "ok":
        return {"body": result["result"], "log": result["log"]}
    return {"body": error_body(result, request_id), "error": True, "log": result["log"]}


def error_body(result: dict[str, Any], request_id: str) -> dict[str, Any]:
    body = {"errorMessage": result["error"], "errorType": result.get("type", "Runtime.Unknown")}
    if "stack" in result:
        body |= {"requestId": request_id, "stackTrace": result["stack"]}
    return body
