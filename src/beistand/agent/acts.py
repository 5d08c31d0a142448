"""What a family of requests gives to `Verbs`: a function for each type of request."""

from collections.abc import Callable
from typing import Any

from beistand.agent.caller import Caller
from beistand.domain.value import Value

Acts = dict[type[Value], Callable[[Any, Caller], Value]]
