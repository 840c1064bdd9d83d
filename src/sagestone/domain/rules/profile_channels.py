"""Rules of a training job's InputDataConfig against the channels that the specification declares.

The same for the job of a validation profile and for one of CreateTrainingJob.
"""

from collections.abc import Iterator

from sagestone.domain.place import Place, repeated_members
from sagestone.domain.rules.profile_file_systems import file_system_channel_violations
from sagestone.shapes.violation import Violation


def job_channel_violations(training: Place, channels: Place, default_mode: Place) -> Iterator[Violation]:
    """Each channel is declared and inside what its declaration supports; none that is required lacks.

    `training` is absent where an image stands for itself: it declares no channels, so any will do. An absent or empty
    list in a declaration declares nothing either. `default_mode` is the job's TrainingInputMode.
    """
    declared = {item.value["Name"]: item for item in training.member("TrainingChannels").elements()}
    yield from repeated_members(channels, "ChannelName", "channel")
    for channel in channels.elements():
        name = channel.member("ChannelName")
        if name.value in declared:
            yield from _against_declaration(declared[name.value], channel, default_mode)
        elif training.value is not None:
            yield name.breaks(f"Member must be a channel of the specification: [{', '.join(declared)}]")
        yield from _own_violations(channel, _mode(channel, default_mode))
        yield from file_system_channel_violations(channel, default_mode)
    yield from _name_violations(channels, default_mode)
    given = [item.value["ChannelName"] for item in channels.elements()]
    for name_, declaration in declared.items():
        if declaration.value.get("IsRequired") and name_ not in given:
            yield channels.lacks(f"Member must have a channel named {name_}: the specification requires it")


def _against_declaration(declaration: Place, channel: Place, default_mode: Place) -> Iterator[Violation]:
    name = declaration.value["Name"]
    content_type = channel.member("ContentType")
    types = declaration.value.get("SupportedContentTypes") or []
    if content_type and types and content_type.value not in types:
        yield content_type.breaks(f"Member must be a content type that channel {name} supports: [{', '.join(types)}]")
    compression = channel.member("CompressionType")
    kinds = declaration.value.get("SupportedCompressionTypes") or []
    if kinds and (compression.value or "None") not in kinds:
        yield compression.breaks(f"Member must be a compression that channel {name} supports: [{', '.join(kinds)}]")
    mode = _mode(channel, default_mode)
    modes = declaration.value.get("SupportedInputModes") or []
    if modes and mode.value not in modes:
        yield mode.breaks(f"Member must be an input mode that channel {name} supports: [{', '.join(modes)}]")


def _mode(channel: Place, default_mode: Place) -> Place:
    return channel.member("InputMode") if channel.member("InputMode") else default_mode


def _own_violations(channel: Place, mode: Place) -> Iterator[Violation]:
    for name, harmful in (("CompressionType", "Gzip"), ("RecordWrapperType", "RecordIO")):
        if channel.member(name).value == harmful and mode.value != "Pipe":
            yield channel.member(name).breaks(
                f"Member must be None in input mode {mode.value}: {_PIPE_ONLY[harmful]} in Pipe mode only"
            )
    yield from _source_violations(channel.member("DataSource"), mode)


_PIPE_ONLY = {"Gzip": "objects are decompressed", "RecordIO": "objects are wrapped into records"}


def _name_violations(channels: Place, default_mode: Place) -> Iterator[Violation]:
    """A FIFO is `<channel>_<number>`: no directory may have such a name, nor one that stands for another directory."""
    modes = {item.value["ChannelName"]: _mode(item, default_mode).value for item in channels.elements()}
    for item in channels.elements():
        name = item.member("ChannelName")
        if name.value in (".", "..") and modes[name.value] != "Pipe":
            yield name.breaks(f"Member must be the name of a directory in input mode {modes[name.value]}")
        start, _, number = name.value.rpartition("_")
        if number.isdecimal() and modes.get(start) == "Pipe" and modes[name.value] != "Pipe":
            yield name.breaks(f"Member must not be the name of a FIFO: channel {start} has input mode Pipe")


def _source_violations(source: Place, mode: Place) -> Iterator[Violation]:
    for name, why in (("DatasetSource", "there is no hub with data sets here; use an S3DataSource"),):
        if source.member(name).value is not None:
            yield source.member(name).unsupported(why)
    s3 = source.member("S3DataSource")
    if s3.value is None:
        if not source:
            yield s3.breaks("Member must not be null: a channel needs a data source")
        return
    if s3.member("S3DataType").value == "AugmentedManifestFile":
        yield from _augmented_violations(s3, mode)
    else:
        yield from s3_source_violations(s3)
    for name, why in (
        ("ModelAccessConfig", "there are no gated models here"),
        ("HubAccessConfig", "there is no hub here"),
    ):
        if s3.member(name):
            yield s3.member(name).unsupported(why)


def _augmented_violations(s3: Place, mode: Place) -> Iterator[Violation]:
    if mode.value != "Pipe":
        yield s3.member("S3DataType").breaks(
            f"Member must be S3Prefix or ManifestFile in input mode {mode.value}: "
            "an augmented manifest is read in Pipe mode only"
        )
    if not s3.member("AttributeNames"):
        yield s3.member("AttributeNames").lacks(
            "Member must not be empty: it says which attributes of an AugmentedManifestFile are streamed"
        )
    yield from _manifest_violations(s3)


def s3_source_violations(s3: Place) -> Iterator[Violation]:
    """Rules of an S3 data source, of a channel or of a transform: its kind is served, and a manifest is an object."""
    kind = s3.member("S3DataType")
    if kind.value not in ("S3Prefix", "ManifestFile"):
        yield kind.unsupported("use S3Prefix or ManifestFile")
    if kind.value == "ManifestFile":
        yield from _manifest_violations(s3)


def _manifest_violations(s3: Place) -> Iterator[Violation]:
    uri, kind = s3.member("S3Uri"), s3.member("S3DataType")
    if uri.value.endswith("/"):
        yield uri.breaks(f"Member must name the manifest object itself when S3DataType is {kind.value}")
