"""Files in S3: a real server on loopback, which speaks what Amazon's does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.extraction import samples
from tests.files.client import Files
from tests.live import LiveSite

BUCKET, PREFIX = "hermes-files", "site/one"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server that keeps objects in memory."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(scope="module")
def keys(server: str) -> Callable[[], dict[str, bytes]]:
    """Returns what the bucket holds."""
    access = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    bucket = boto3.resource("s3", endpoint_url=server, **access).Bucket(BUCKET)
    bucket.create()
    return lambda: {each.key: each.get()["Body"].read() for each in bucket.objects.all()}


@pytest.fixture(scope="module")
def site(start_site: Callable[..., LiveSite], server: str, keys: object) -> Iterator[LiveSite]:
    """A site that keeps its files there; it must end well and have logged no error."""
    access = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    started = start_site(HERMES_FILES=f"s3://{BUCKET}/{PREFIX}", AWS_ENDPOINT_URL=server, **access)
    yield started
    assert started.stop() == 0
    assert started.errors() == []


def test_files_are_objects_under_the_prefix(site: LiveSite, keys: Callable[[], dict[str, bytes]]) -> None:
    files = Files(site, "owner")
    shape = files.add(samples.picture(), "a.png")
    kept = keys()
    assert len(kept) == 2
    assert all(re.fullmatch(rf"{PREFIX}/\d+/[0-9a-f]{{32}}/[0-9a-f]{{64}}", key) for key in kept)
    assert files.get(shape).body in kept.values()
    assert files.get(shape, "?thumbnail").body in kept.values()
    assert files.delete(shape).status == 204
    assert keys() == {}


@pytest.mark.thorough
def test_a_large_file_goes_in_parts_and_comes_back(site: LiveSite, keys: Callable[[], dict[str, bytes]]) -> None:
    files = Files(site, "owner")
    content = b"".join(b"line %d\n" % number for number in range(1_500_000))
    shape = files.add(content, "long.txt")
    assert files.get(shape).body == content
    assert files.delete(shape).status == 204
    assert keys() == {}


@pytest.mark.thorough
def test_what_is_left_in_the_bucket_is_purged(
    site: LiveSite, server: str, keys: Callable[[], dict[str, bytes]]
) -> None:
    files = Files(site, "owner")
    shape = files.add(samples.picture(), "a.png")
    before = keys()
    access = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    bucket = boto3.resource("s3", endpoint_url=server, **access).Bucket(BUCKET)
    stray, foreign = f"{PREFIX}/999/{'0' * 32}/{'a' * 64}", f"{PREFIX}/mine.txt"
    for key in (stray, foreign):
        bucket.put_object(Key=key, Body=b"left")
    assert "Removed 1 folders in the store" in site.manage("purge")
    assert keys().keys() - before.keys() == {foreign}
    bucket.delete_objects(Delete={"Objects": [{"Key": foreign}]})
    assert files.delete(shape).status == 204
    assert keys() == {}


def test_nothing_is_written_beside_the_database(site: LiveSite) -> None:
    folder = Path(site.database.url.removeprefix("sqlite:///")).parent
    assert not (folder / "files").exists()
