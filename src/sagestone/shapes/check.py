"""The check of a request against the service model: all violations at once, and the request cleaned."""

import threading
from typing import Any

from sagestone.shapes.constraints import Check, Compiler
from sagestone.shapes.pattern import TooSlow
from sagestone.shapes.report import Enough, Report
from sagestone.shapes.service_model import ServiceModel
from sagestone.shapes.violation import Violation, WrongType


class RequestCheck:
    """Checks the requests of one service, from any thread; an operation is compiled when it is first called."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._compiler = Compiler(model)
        self._lock = threading.Lock()
        self._compiled: dict[str, Check] = {}  # whole: what the compiler is still at is its own

    def check(self, operation: str, parameters: Any) -> tuple[dict[str, Any], list[Violation]]:
        """The clean parameters and every violation, in the order of the request, missing members last.

        Clean: unknown members and nulls are gone, times are epoch seconds (float), whole numbers are int. They are
        worth something only when there is no violation. Raises WrongType for a JSON value of the wrong type.
        After very many violations, or a value that is made to exhaust its pattern, the rest is not looked at.
        """
        shape_name = self._model.operations[operation].input
        if shape_name is None:
            return {}, []
        report = Report(self._model)
        try:
            return self._check_of(shape_name)(parameters, None, report), report.violations
        except (Enough, TooSlow):
            return {}, report.violations
        except RecursionError:
            raise WrongType("The request is nested too deeply") from None

    def _check_of(self, shape_name: str) -> Check:
        found = self._compiled.get(shape_name)
        if found is None:
            with self._lock:
                found = self._compiled[shape_name] = self._compiler.check_of(shape_name)
        return found
