"""Everything that may go wrong, done to the real programs on purpose (FAULTS); `make torture` runs all of it.

A campaign is a module here with `campaign(run)`, and one row in `campaigns.py`. It injects faults, looks from
outside, and says so to its `Run`; `make test` runs a representative part of the same code.
"""
