"""Every integration script is one of tests/run.sh's, and each of those is a script."""

import re
import unittest
from pathlib import Path

INTEGRATION = Path(__file__).resolve().parents[1]


class Suites(unittest.TestCase):
    def test_all_scripts_are_run(self):
        runner = (INTEGRATION.parent / "run.sh").read_text()
        lists = re.findall(r"for script in (.*?); do", runner, re.DOTALL)
        listed = " ".join(lists).replace("\\\n", " ").split()
        scripts = [path.name.removesuffix("_test.py") for path in INTEGRATION.glob("*_test.py")]
        self.assertCountEqual(listed, scripts)


if __name__ == "__main__":
    unittest.main()
