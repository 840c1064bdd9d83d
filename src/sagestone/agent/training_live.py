"""Which channels of a training instance have a live part, by their input mode."""

from sagestone.agent.opt_ml import OptMl
from sagestone.agent.tools import Tools
from sagestone.channels.live import LivePart, LiveParts
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.channel import Channel


def live_parts(assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl) -> LiveParts:
    """The live parts of the job's channels, none of them started."""
    return LiveParts(
        (channel.name, part)
        for channel in assignment.job.channels
        if (part := _live_part(channel, assignment, tools, opt_ml)) is not None
    )


def _live_part(channel: Channel, assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl) -> LivePart | None:
    """None for File, and for a mode that does not work yet: its channel is refused when it is to be fetched."""
    return None
