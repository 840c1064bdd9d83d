"""Which channels of a training instance have a live part, by their input mode."""

from sagestone.agent.opt_ml import OptMl
from sagestone.agent.tools import Tools
from sagestone.channels.fast_file import FastFileChannel
from sagestone.channels.live import LivePart, LiveParts
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share


def live_parts(assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl) -> LiveParts:
    """The live parts of the channels that this host receives, none of them started."""
    return LiveParts(
        (channel.name, part)
        for channel, share in assignment.channels
        if (part := _live_part(channel, share, assignment, tools, opt_ml)) is not None
    )


def _live_part(
    channel: Channel, share: Share, assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl
) -> LivePart | None:
    """None for File, and for a mode that does not work yet: its channel is refused when it is to be fetched."""
    if channel.input_mode == "FastFile":
        place = tools.files.scratch / "fast_file" / channel.name
        return FastFileChannel(tools.s3, channel, share, place, opt_ml.channel(channel))
    return None
