"""A read-only file system in user space over the objects of a channel: the kernel's FUSE protocol, spoken directly."""
