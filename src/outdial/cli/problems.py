"""What a command says when it cannot do what was asked, and with which exit status."""

from outdial.errors import OutdialError
from outdial.supervisor import exit_codes


class CommandFailed(OutdialError):  # noqa: N818 - it is no fault of the program, the answer is just no
    """A sentence for the person at the terminal, and the exit status of the command."""

    def __init__(self, sentence: str, exit_code: int = exit_codes.FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
