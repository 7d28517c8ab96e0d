import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

TESTS = {
    "test": 'import pytest\n@pytest.mark.skip(reason="no time")\ndef test_skipped():\n    pass\n',
    "module": 'import pytest\npytest.importorskip("no_such_module")\ndef test_skipped():\n    pass\n',
    "inside": 'import pytest\ndef test_skipped():\n    pytest.skip("no time")\n',
}


@pytest.mark.parametrize("kind", TESTS)
@pytest.mark.parametrize("no_skip", ["0", "1"])
def test_a_skip_is_a_failure_when_told_so(kind, no_skip, tmp_path):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_it.py").write_text(TESTS[kind] + "def test_passes():\n    pass\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        env=os.environ | {"SPINPLANE_NO_SKIP": no_skip},
        capture_output=True,
        text=True,
        check=False,
    )
    told = "skipped tests are failures here: " in run.stdout
    assert (told, run.returncode != 0) == ((True, True) if no_skip == "1" else (False, kind == "module"))
