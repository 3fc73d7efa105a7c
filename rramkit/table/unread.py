"""Groups and signals."""

UNREAD = {}


def reason(group, signal):
    return ""
