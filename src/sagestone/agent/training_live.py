"""Which channels of a training instance have a live part, by their input mode."""

import msgspec

from sagestone.agent.fast_file import Order
from sagestone.agent.opt_ml import OptMl
from sagestone.agent.tools import Tools
from sagestone.channels.fast_file.channel import FastFileChannel
from sagestone.channels.live import LivePart, LiveParts
from sagestone.channels.pipe.channel import PipeChannel, PipePlaces
from sagestone.channels.pipe.remote import Fetchers
from sagestone.domain.assignment import TrainingAssignment
from sagestone.domain.channel import Channel
from sagestone.domain.instance_group import Share


def live_parts(assignment: TrainingAssignment, tools: Tools, opt_ml: OptMl) -> LiveParts:
    """The live parts of the channels that this host receives, none of them started."""
    places = PipePlaces(opt_ml=opt_ml.root, scratch=tools.files.scratch, spools=tools.files.spools)
    fetchers = Fetchers(sum(channel.input_mode == "Pipe" for channel, _ in assignment.channels))
    parts: list[tuple[str, LivePart]] = []
    for channel, share in assignment.channels:
        if channel.input_mode == "Pipe":
            parts.append((channel.name, PipeChannel(tools.s3, channel, share, places, fetchers)))
        elif channel.input_mode == "FastFile":
            parts.append((channel.name, _fast_file(channel, share, tools, opt_ml)))
    return LiveParts(parts)


def _fast_file(channel: Channel, share: Share, tools: Tools, opt_ml: OptMl) -> FastFileChannel:
    place, namespace = tools.files.fast_file, tools.runtime.mount_namespace
    order = Order(s3=tools.s3_part, channel=channel, share=share, directory=str(place), namespace=namespace)
    return FastFileChannel(
        tools.s3,
        channel,
        share,
        place,
        opt_ml.channel(channel),
        order=msgspec.json.encode(order),
        namespace=namespace,
    )
