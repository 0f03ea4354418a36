"""The example application of this repository, as a relying party."""

import contextlib
import threading
from collections.abc import Iterator

from examples import relying_party
from tests.journeys.furnish import Client


@contextlib.contextmanager
def application(client: Client, port: int) -> Iterator[str]:
    """The example, running on ``port``, where the client's redirect URI points; its address."""
    server = relying_party.serve(client.issuer, client.client_id, client.client_secret, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
