"""Two processes over PostgreSQL and Redis, with nginx in front: once with TLS, once without."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.deploy.front import front, make_certificate
from tests.live import LiveSite
from tests.providers.fixtures import Provider
from tests.services import free_port

Sites = list[LiveSite]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The loopback provider of all tests of a module."""
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def sites(start_sites: Callable[..., Sites], provider: Provider) -> Sites:
    """The processes themselves, which trust the proxy before them."""
    return start_sites(
        2,
        TRUSTED_PROXY="127.0.0.1",
        ALLOWED_HOSTS="127.0.0.1",
        HERMES_DRAIN_GRACE="30",
        HERMES_MODEL="openai-chat:loopback",
        HERMES_PROVIDER_RETRIES="0",
        OPENAI_BASE_URL=provider.base_url,
        OPENAI_API_KEY="loopback",
    )


@pytest.fixture(scope="module")
def https_ports() -> dict[str, int]:
    """Where nginx listens, by what https.conf calls it."""
    return {"80": free_port(), "443 ssl": free_port()}


@pytest.fixture(scope="module")
def tls_site(sites: Sites, https_ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """The site behind nginx with TLS; its certificate is trusted."""
    folder = tmp_path_factory.mktemp("https")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(make_certificate(folder / "certificates")))
        with front(folder, sites, "https", https_ports) as seen:
            yield seen


@pytest.fixture(scope="module")
def site(sites: Sites, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """The site behind nginx without TLS."""
    with front(tmp_path_factory.mktemp("http"), sites, "http", {"80": free_port()}) as seen:
        yield seen
