"""Where in a list a page stands, as a type: for the documentation of pages that no verb makes."""

import msgspec


class Pagination(msgspec.Struct):
    """Where in a list a page stands; see :func:`keystead.kinds.listing.pagination`."""

    next: float
    previous: float
    count: float
    current: float
    total_pages: float
    start_index: float
    end_index: float
