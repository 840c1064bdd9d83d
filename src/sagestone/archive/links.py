"""Which symbolic links are known to stay inside the tree that holds them."""


def stays_inside(name: str, target: str) -> bool:
    """Whether the link `name` (relative to the root of its tree) can only lead to something inside that tree.

    Every ".." must stand at the beginning: a ".." behind a name could climb from wherever another link leads, so
    only then is counting enough. With this rule for all links of a tree, no chain of them leaves it.
    """
    if not target or target.startswith("/"):
        return False
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    return ".." not in parts[climbs:] and climbs <= name.count("/")
