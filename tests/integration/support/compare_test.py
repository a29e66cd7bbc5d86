"""The golden runner held to account, with stand-ins for zpc and zprun that replay (and spoil) the reference's own output:
python3 -m unittest discover -s tests/integration/support -t tests/integration -p '*_test.py'"""

import json
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from .golden_case import find_cases, parse_flags, spell_flags
from .pipeline import Job, commands, import_flags
from .variants import write_variant

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / "tests/golden/cases"
ZPC = "#!/bin/sh\nexit 0\n"


class Stand(unittest.TestCase):
    def run_test(
        self, name, spoil_steps=lambda steps: steps, spoil_tensors=lambda tensors: tensors, zprun=None, extra=()
    ):
        """golden_test.py's (exit code, output) when zprun leaves the spoilt reference in its output folder."""
        case = find_cases(CASES, [name])[0]
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            out = folder / "replay"
            out.mkdir()
            steps = spoil_steps(case.expected_steps())
            (out / "metrics.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
            save_file(
                spoil_tensors(case.expected_final()),
                out / f"{'model' if case.trains_everything else 'adapter_model'}.safetensors",
            )
            replay = f'#!/bin/sh\nwhile [ "$1" != --output_dir ]; do shift; done\ncp -r {out} "$2"\n'
            for tool, text in (("zpc", ZPC), ("zprun", zprun or replay)):
                path = folder / tool
                path.write_text(text)
                path.chmod(path.stat().st_mode | stat.S_IXUSR)
            done = subprocess.run(
                [sys.executable, ROOT / "tests/integration/golden_test.py", "--bin", folder, "--case", name, *extra],
                capture_output=True,
                text=True,
            )
        return done.returncode, done.stdout + done.stderr

    def expect(self, outcome, name, **spoilt):
        code, output = self.run_test(name, **spoilt)
        self.assertEqual(
            (code, output.splitlines()[-1]), (0, "2 passed, 0 failed") if outcome else (1, "0 passed, 2 failed"), output
        )
        return output

    def test_the_reference_passes(self):
        for name in ("llama_gqa_fp32", "llama_full", "llama_trainer"):
            self.expect(True, name)

    def test_each_figure_is_held(self):
        def scaled(figure, factor, at=13):
            return lambda steps: [
                {**step, figure: step[figure] * (factor if step["step"] == at else 1)} for step in steps
            ]

        self.expect(True, "llama_gqa_fp32", spoil_steps=scaled("loss", 1 + 8e-6))
        for figure, factor in (
            ("loss", 1 + 2e-5),
            ("loss", float("nan")),
            ("grad_norm", 1 + 2e-4),
            ("learning_rate", 1.01),
            ("epoch", 1.1),
        ):
            self.assertIn(figure, self.expect(False, "llama_gqa_fp32", spoil_steps=scaled(figure, factor)))
        self.expect(True, "llama_gqa_bf16", spoil_steps=scaled("loss", 1 + 3e-3))
        self.expect(False, "llama_gqa_bf16", spoil_steps=scaled("loss", 1 + 5e-3))

    def test_every_step_is_there(self):
        self.expect(False, "llama_full", spoil_steps=lambda steps: steps[:-1])
        self.expect(False, "llama_full", spoil_steps=lambda steps: [])

    def test_every_tensor_is_there_and_right(self):
        def one(edit):
            def spoil(tensors):
                last = sorted(tensors)[-1]
                return {**tensors, last: edit(tensors[last])}

            return spoil

        initial = find_cases(CASES, ["llama_gqa_fp32"])[0].initial()
        self.expect(False, "llama_gqa_fp32", spoil_tensors=lambda _: initial)
        for edit in (lambda t: t * np.float32(1.01), lambda t: t * np.float32("nan"), lambda t: t[:-1]):
            self.expect(False, "llama_gqa_fp32", spoil_tensors=one(edit))
        self.expect(False, "llama_gqa_fp32", spoil_tensors=lambda t: dict(sorted(t.items())[1:]))
        self.expect(False, "llama_gqa_fp32", spoil_tensors=lambda t: {**t, "extra": np.zeros(1, np.float32)})

    def test_a_failing_tool_fails(self):
        output = self.expect(False, "llama_full", zprun="#!/bin/sh\necho 'error[ZP4001] plan.fb: damaged'\nexit 4\n")
        self.assertIn("zprun exit 4: error[ZP4001]", output)
        self.expect(False, "llama_full", zprun="#!/bin/sh\nexit 0\n")

    def test_feature_off_fails_on_agreement_and_on_crashes(self):
        code, output = self.run_test("qwen3_patterns", extra=["--feature_off"])
        self.assertEqual((code, output.splitlines()[-1]), (1, "0 passed, 3 failed"), output)
        off = lambda steps: [{**step, "loss": step["loss"] * 1.01} for step in steps]  # noqa: E731
        code, output = self.run_test("qwen3_patterns", spoil_steps=off, extra=["--feature_off"])
        self.assertEqual(
            (code, output.splitlines()[-1]), (1, "2 passed, 1 failed"), output
        )  # the third has to be refused
        for status, passed in ((4, 1), (1, 0), (139, 0)):
            code, output = self.run_test("qwen3_patterns", zprun=f"#!/bin/sh\nexit {status}\n", extra=["--feature_off"])
            self.assertEqual(output.splitlines()[-1], f"{passed} passed, {3 - passed} failed", output)


class Flags(unittest.TestCase):
    def test_spelling(self):
        words = ["--bf16", "--max_steps", "20", "--data_seed", "-1"]
        self.assertEqual(parse_flags(words), {"bf16": None, "max_steps": "20", "data_seed": "-1"})
        self.assertEqual(spell_flags(parse_flags(words)), words)

    def test_the_global_batch_stays(self):
        case = find_cases(CASES, ["llama_gqa_fp32"])[0]
        for ranks in (1, 2, 4):
            flags = import_flags(case, Job(Path("bin"), ranks, 3))
            self.assertEqual(int(flags["per_device_train_batch_size"]) * ranks, 4)
        with self.assertRaises(SystemExit):
            import_flags(case, Job(Path("bin"), 3, 3))

    def test_a_launcher_takes_the_place_of_n(self):
        case = find_cases(CASES, ["llama_full"])[0]
        words = commands(case, Job(Path("bin"), 2, 3, "mpirun -n {ranks}"), Path("work"))["zprun"]
        self.assertEqual([str(word) for word in words[:4]], ["mpirun", "-n", "2", "bin/zprun"])
        self.assertNotIn("-n", words[4:])


class Variants(unittest.TestCase):
    def test_scaling_changes_the_named_tensors_alone(self):
        case = find_cases(CASES, ["llama_qlora_prequantised"])[0]
        with tempfile.TemporaryDirectory() as folder:
            variant = {"name": "scaled", "scale": {"tensors": ".nested_absmax", "factor": 1.5}}
            scaled = load_file(write_variant(case.folder, variant, Path(folder) / "scaled") / "model/model.safetensors")
            original = load_file(case.model / "model.safetensors")
            self.assertEqual(scaled.keys(), original.keys())
            for name, tensor in original.items():
                factor = np.float32(1.5 if name.endswith(".nested_absmax") else 1)
                np.testing.assert_array_equal(scaled[name], tensor * factor if factor != 1 else tensor)
            variant["scale"]["tensors"] = ".weight.quant_state"
            with self.assertRaises(KeyError):
                write_variant(case.folder, variant, Path(folder) / "nothing")


if __name__ == "__main__":
    unittest.main()
