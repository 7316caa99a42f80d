"""The guide lists every phone, every key and every field, as the code has them, and its example works."""

import re

from tools.sandbox_tables import PAGE, page

from outdial.sandbox.phones_file import load_phones


def test_the_guide_has_the_tables_of_the_code():
    assert page(PAGE.read_text()) == PAGE.read_text(), "run: python -m tools.sandbox_tables"


def test_the_example_of_the_guide_is_read(tmp_path):
    [example] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "phones.toml").write_text(example)
    phones = load_phones(tmp_path / "phones.toml")
    assert phones["12025550150"].digits == "4711#"
    assert (phones["12025550151"].challenge, phones["12025550151"].algorithm) == (401, "SHA-256")
