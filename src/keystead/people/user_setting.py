"""What people can set for themselves, as the list of their settings names it."""

import msgspec


class UserSetting(msgspec.Struct, omit_defaults=True):
    """Something that people can set for themselves: a stage they can set up, a source they can connect.

    :param object_uid: what it is about.
    :param component: the name of the page's part that shows it.
    :param configure_url: where it is set; absent where there is nothing to open.
    """

    object_uid: str
    component: str
    title: str
    configure_url: str = ""
    icon_url: str = ""
