"""The pair's keys in memory, as far as an end of the pair touches them (port `Keys`)."""

from dataclasses import dataclass, field


@dataclass
class FakeKeys:
    forgotten: list[bool] = field(default_factory=list)
    """`own` of each call."""

    def forget(self, *, own: bool) -> None:
        self.forgotten.append(own)
