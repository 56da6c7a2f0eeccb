// node compile.mjs FOLDER VERSION: compile every .py in it with the CPython that pyodide is.
import { loadPyodide } from "pyodide";

const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
python.mountNodeFS("/code", process.argv[2]);
const compiled = await python.runPythonAsync(`
import compileall, py_compile, sys
if f"{sys.version_info.major}.{sys.version_info.minor}" != "${process.argv[3]}":
    raise SystemExit(f"this is Python {sys.version}, not ${process.argv[3]}")
compileall.compile_dir(
    "/code", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
)
`);
process.exit(compiled ? 0 : 1);
