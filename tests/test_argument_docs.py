"""The page of the published classes' arguments is what the tables in the code say."""

import importlib.util
from pathlib import Path

_TOOL = Path(__file__).parents[1] / "tools" / "list_arguments.py"


def test_the_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("list_arguments", _TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text("utf-8") == tool.page()
