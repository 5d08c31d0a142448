"""The program that ssh asks for the password, once, while a pair is made.

ssh starts it by SSH_ASKPASS. The password comes through a pipe in memory that only root can open: it
stands in no argument, no environment and no file.
"""

import os
import sys

PIPE = "BEISTAND_ASKPASS_PIPE"
"""Environment variable with the path of the named pipe."""


def main() -> int:
    pipe = os.open(os.environ[PIPE], os.O_RDONLY)
    answer = bytearray()
    # One byte at a time: what follows belongs to the next question.
    while (byte := os.read(pipe, 1)) not in (b"", b"\n"):
        answer += byte
    sys.stdout.buffer.write(bytes(answer) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
