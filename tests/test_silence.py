"""How the lab measures a silence: from the first question that was not answered, and only while somebody asks."""

import pytest

from beistand_lab.silence import Question, longest_silence


@pytest.mark.parametrize(
    ("questions", "seconds"),
    [
        pytest.param([(0, 0.1), (1, 1.1), (2, 2.1)], 0.1, id="each is answered"),
        pytest.param([(0, 0.1), (1, None), (2, None), (3, 3.2)], 2.2, id="from the first that is not"),
        pytest.param([(0, 0.1), (3, 3.1)], 0.1, id="nobody asked"),
        pytest.param([(0, None), (1, None), (2, None)], 4.0, id="until the end"),
        pytest.param([(0, 0.1), (1, 3.5), (2, 3.4), (3, 3.3)], 2.3, id="a later answer ends it"),
        pytest.param([(-3, None), (-2, None), (1, 1.1)], 1.1, id="it began before"),
        pytest.param([(2, 9.0), (8, 9.1)], 2.0, id="it goes on afterwards"),
        pytest.param([], 0.0, id="nothing at all"),
    ],
)
def test_a_silence_is_what_a_question_waits(questions: list[Question], seconds: float) -> None:
    assert longest_silence(questions, 0.0, 4.0) == pytest.approx(seconds)
