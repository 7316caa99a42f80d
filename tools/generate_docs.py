"""Write every generated part of docs/ and the Python client again: `make docs`."""

from tools import client_code, reference_pages, sandbox_tables, state_diagrams


def main() -> None:
    """Write all generated pages."""
    reference_pages.FOLDER.mkdir(parents=True, exist_ok=True)
    for path, code in client_code.pages().items():
        path.write_text(code, encoding="utf-8")
    for path, text in reference_pages.PAGES.items():
        path.write_text(text(), encoding="utf-8")
    state_diagrams.PAGE.write_text(state_diagrams.page(), encoding="utf-8")
    sandbox_tables.PAGE.write_text(sandbox_tables.page(sandbox_tables.PAGE.read_text()), encoding="utf-8")


if __name__ == "__main__":
    main()
