"""What went wrong with a directory, in words for whoever looks after it."""


class DirectoryError(Exception):
    """The directory did not do it.

    :param reason: a sentence: which server, at which step, why.
    :param member: the setting that may be at fault.
    :param on_the_way: it happened before the directory heard what is wanted. Another server may do better; and the
        reason tells what can be reached from here, which is not for everybody.
    """

    def __init__(self, reason: str, member: str = "server_uri", *, on_the_way: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.member = member
        self.on_the_way = on_the_way
