"""The page of state machines is what the tables say."""

from tools.state_diagrams import PAGE, TABLES, page


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_state_is_drawn():
    text = page()
    for table, _, _ in TABLES:
        for state in table.states:
            assert f'state "{state.value}"' in text
