"""Whether the service can work: what does not answer is named, what hangs is asked once, and nobody waits for it."""

import threading

from sagestone.compose.readiness import Check, Readiness


def _fails() -> None:
    raise OSError("there is no room")


def test_what_works_gives_no_complaint() -> None:
    assert Readiness([Check(name="store", ask=lambda: None)]).complaints() == []


def test_what_fails_is_named_with_its_words() -> None:
    readiness = Readiness([Check(name="store", ask=_fails), Check(name="s3", ask=lambda: None)])
    assert readiness.complaints() == ["store: there is no room"]


def test_what_hangs_is_told_asked_once_and_believed_again_when_it_answers() -> None:
    asked: list[int] = []
    answers = threading.Event()

    def hang() -> None:
        asked.append(1)
        assert answers.wait(30)

    def fresh() -> list[str]:
        """As if the last answer were old."""
        readiness._known = None
        return readiness.complaints()

    readiness = Readiness([Check(name="runtime", ask=hang)], patience_seconds=0.05)
    assert fresh() == ["runtime: no answer for 0.05 seconds or more"]
    assert fresh() == ["runtime: no answer for 0.05 seconds or more"]
    assert len(asked) == 1
    answers.set()
    readiness._asked["runtime"].result(30)
    assert fresh() == []


def test_who_asks_often_gets_the_answer_of_a_moment_ago() -> None:
    asked: list[int] = []
    readiness = Readiness([Check(name="store", ask=lambda: asked.append(1))])
    for _ in range(20):
        readiness.complaints()
    assert len(asked) < 20
