"""What the operations need from the outside world, and nothing more.

Each module holds the Protocols of one thing of the outside; their docstrings are the contract that
tests/contracts checks against the fake and the real adapter alike.
"""
