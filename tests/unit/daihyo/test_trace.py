"""`make trace`: requirements, tests and results find each other."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

HOUSE = Path(__file__).resolve().parents[3]


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/trace.py, looking at a house of its own."""
    spec = importlib.util.spec_from_file_location("trace_script", HOUSE / "scripts/trace.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "HOUSE", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/requirements.md").write_text(
        "| id | requirement |\n|---|---|\n| ACD-1 | evenly |\n| ACD-2 | by rank |\n| KPI-1 | rates |\n"
    )
    (tmp_path / "tests").mkdir()
    return module


def run(
    trace: ModuleType, capsys: pytest.CaptureFixture[str], tests: str, results: str = "{}"
) -> tuple[int, str]:
    (trace.HOUSE / "tests/test_x.py").write_text(tests)
    (trace.HOUSE / "var/test").mkdir(parents=True)
    (trace.HOUSE / "var/test/results.json").write_text(results)
    code = trace.main()
    return code, capsys.readouterr().out


def test_marks_on_functions_classes_and_modules_count(
    trace: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(
        trace,
        capsys,
        'import pytest\npytestmark = pytest.mark.req("ACD-1")\n'
        'class TestA:\n    @pytest.mark.req("KPI-1")\n    async def test_b(self): ...\n',
    )
    assert code == 0
    assert out.count("· tests/test_x.py::TestA::test_b  (not run)") == 2
    assert "Without a test (1 of 3): ACD-2" in out


def test_one_failed_parameter_is_a_failure(trace: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = run(
        trace,
        capsys,
        'import pytest\n@pytest.mark.req("ACD-1")\ndef test_a(): ...\n',
        '{"tests/test_x.py::test_a[1]": {"outcome": "failed"}, '
        '"tests/test_x.py::test_a[2]": {"outcome": "passed"}}',
    )
    assert "✗ tests/test_x.py::test_a  (failed)" in out


def test_unknown_ids_are_told(trace: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(trace, capsys, 'import pytest\n@pytest.mark.req("ACD-99")\ndef test_a(): ...\n')
    assert code == 1
    assert "ACD-99" in out
