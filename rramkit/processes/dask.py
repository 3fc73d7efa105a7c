"""Connection to a Dask scheduler, of characterisations and of trainings."""

import logging
from typing import TYPE_CHECKING

from rramkit.errors import SetupError

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 30.0  # wall clock: for a scheduler to answer over the network, and for its first worker


def connect(address: str) -> "Client":
    """Return a client of the scheduler at an address such as `tcp://127.0.0.1:8786`.

    Raises
    ------
    SetupError
        When Dask is not installed, a `tls` address has no certificate in Dask's configuration, no scheduler answers, or
        it has no worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise SetupError(
            "`--scheduler` needs Dask's package distributed. Run `pip install 'rramkit[dask]'`."
        ) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its messages about lost workers are no errors here
    try:
        _check_certificate(address)
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise SetupError(
            f"`--scheduler` must be the address of a Dask scheduler with a worker; got {address!r} ({error}). "
            "Start them: `dask scheduler`, `dask worker ADDRESS`."
        ) from error
    return client


def _check_certificate(address: str) -> None:
    """Raise `SetupError` for TLS without a certificate: Dask's client fails late then, and ends a minute later."""
    from distributed.security import Security

    if address.startswith("tls://") and Security().get_connection_args("client").get("ssl_context") is None:
        raise SetupError(
            f"`--scheduler` {address} needs a certificate, and Dask's configuration has none. Set "
            "`distributed.comm.tls.ca-file`, `distributed.comm.tls.client.cert` and `distributed.comm.tls.client.key` "
            "(or DASK_DISTRIBUTED__COMM__TLS__CA_FILE, ..__TLS__CLIENT__CERT and ..__TLS__CLIENT__KEY)."
        )
