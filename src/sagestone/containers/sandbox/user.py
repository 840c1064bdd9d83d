"""Who a container's program runs as: the image's USER, looked up in the container's own files."""


class NoSuchUser(Exception):
    """The image's USER is not in its /etc/passwd or /etc/group."""


class User:
    """Numbers of a user inside the container, and its home."""

    __slots__ = ("gid", "groups", "home", "uid")

    def __init__(self, uid: int, gid: int, groups: list[int], home: str) -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home


def find_user(text: str, passwd: list[str], group: list[str]) -> User:
    """The user that `name`, `uid`, `name:group` … means; passwd and group are the lines of those files.

    An unknown number is a user without a name, as engines have it; raises NoSuchUser for an unknown name.
    """
    name, _, group_name = (text or "0").partition(":")
    uid, gid, home = _passwd(name, [line.split(":") for line in passwd])
    groups = [line.split(":") for line in group]
    if group_name:
        return User(uid, _group(group_name, groups), [], home)
    names = {fields[0] for fields in (line.split(":") for line in passwd) if len(fields) > 2 and fields[2] == str(uid)}
    further = [
        int(fields[2])
        for fields in groups
        if len(fields) > 3 and fields[2].isdecimal() and names & set(fields[3].strip().split(","))
    ]
    return User(uid, gid, sorted({*further} - {gid}), home)


def _passwd(name: str, entries: list[list[str]]) -> tuple[int, int, str]:
    whole = [fields for fields in entries if len(fields) > 5 and fields[2].isdecimal() and fields[3].isdecimal()]
    for column in (0, 2):
        for fields in whole:
            if fields[column] == name:
                return int(fields[2]), int(fields[3]), fields[5] or "/"
    if not name.isdecimal():
        raise NoSuchUser(f"the image's USER {name!r} is not in its /etc/passwd")
    return int(name), 0, "/"


def _group(name: str, entries: list[list[str]]) -> int:
    for column in (0, 2):
        for fields in entries:
            if len(fields) > 2 and fields[column] == name and fields[2].isdecimal():
                return int(fields[2])
    if not name.isdecimal():
        raise NoSuchUser(f"the image's group {name!r} is not in its /etc/group")
    return int(name)
