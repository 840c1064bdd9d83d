"""The check of a request against the service model: all violations at once, and the request cleaned."""

from typing import Any

from sagestone.shapes.constraints import Compiler
from sagestone.shapes.pattern import TooSlow
from sagestone.shapes.report import Enough, Report
from sagestone.shapes.service_model import ServiceModel
from sagestone.shapes.violation import Violation, WrongType


class RequestCheck:
    """Checks the requests of one service; an operation is compiled when it is first called."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._compiler = Compiler(model)

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
            return self._compiler.check_of(shape_name)(parameters, None, report), report.violations
        except (Enough, TooSlow):
            return {}, report.violations
        except RecursionError:
            raise WrongType("The request is nested too deeply") from None
