# FileCheck tests. `lit tests/lit` takes the tools from build/ (or ZP_BUILD_DIR); the copy that CMake configures, from its own.
# CHECK_ROUNDTRIP=1 makes every run of zp-opt prove that its input survives printing and parsing.
import os
import shutil
import subprocess

import lit.formats

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
build = getattr(config, "zp_build_dir", None) or os.environ.get("ZP_BUILD_DIR") or os.path.join(root, "build")
llvm = getattr(config, "llvm_tools_dir", None) or "/usr/lib/llvm-22/bin"

config.name = "ZeroPlan"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "CMakeLists.txt"]
config.test_source_root = os.path.join(root, "tests", "lit")
config.test_exec_root = os.path.join(build, "tests", "lit")
config.environment["PATH"] = os.pathsep.join([os.path.join(build, "bin"), llvm, os.environ.get("PATH", "")])
config.substitutions.append(("%inputs", os.path.join(config.test_source_root, "Inputs")))
config.substitutions.append(("%root", root))
config.substitutions.append(("%mlir_include", os.path.join(os.path.dirname(llvm), "include")))
if os.environ.get("CHECK_ROUNDTRIP"):
    config.substitutions.append((r"(?<![\w/.-])zp-opt(?![\w.-])", "zp-opt --verify-roundtrip"))

# Tests say `REQUIRES: <tool>` for a tool that not every build has.
for tool in ("zp", "zpc", "zprun", "zpdump", "zp-interpret"):
    if os.path.exists(os.path.join(build, "bin", tool)):
        config.available_features.add(tool)

# Other versions of clang-format format otherwise.
clang_format = shutil.which("clang-format-14") or shutil.which("clang-format") or ""
if clang_format and " version 14." in subprocess.run([clang_format, "--version"], capture_output=True, text=True).stdout:
    config.available_features.add("clang-format-14")
config.substitutions.append(("%clang_format", clang_format))
