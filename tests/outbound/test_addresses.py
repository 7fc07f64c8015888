"""Which addresses are public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from sessions_app.outbound.addresses import is_public

PRIVATE = [
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "this network"),
    ("10.0.0.1", "private"),
    ("100.64.0.1", "of providers, shared"),
    ("100.100.100.200", "a cloud's metadata"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("168.63.129.16", "a cloud's host"),
    ("169.254.169.254", "a cloud's metadata"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.192", "a cloud's metadata"),
    ("192.0.0.9", "of protocols"),
    ("192.0.2.1", "examples"),
    ("192.88.99.1", "relays to 6to4"),
    ("192.168.1.1", "private"),
    ("198.18.0.1", "benchmarks"),
    ("198.51.100.1", "examples"),
    ("203.0.113.1", "examples"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.250", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::127.0.0.1", "an IPv4 address, the old form"),
    ("::ffff:127.0.0.1", "an IPv4 address"),
    ("::ffff:8.8.8.8", "a public IPv4 address, as no server writes it"),
    ("::ffff:0:127.0.0.1", "an IPv4 address, translated"),
    ("64:ff9b::7f00:1", "an IPv4 address, by NAT64"),
    ("64:ff9b::808:808", "a public IPv4 address, by NAT64"),
    ("64:ff9b:1::7f00:1", "an IPv4 address, by a NAT64 of one's own"),
    ("100::1", "discarded"),
    ("2001::1", "Teredo"),
    ("2001:0:7f00:1::80ff:fffe", "an IPv4 address, by Teredo"),
    ("2001:2::1", "benchmarks"),
    ("2001:10::1", "ORCHID"),
    ("2001:20::1", "ORCHID"),
    ("2001:db8::1", "examples"),
    ("2002:7f00:1::", "an IPv4 address, by 6to4"),
    ("2002:808:808::", "a public IPv4 address, by 6to4"),
    ("3fff::1", "examples"),
    ("5f00::1", "segment routing"),
    ("fc00::1", "unique local"),
    ("fd00:ec2::254", "a cloud's metadata"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("4000::1", "given to nobody"),
    ("2606:4700::1111%eth0", "of one link"),
    ("", "no address"),
    ("localhost", "no address"),
    ("0x7f.1", "no address"),
    ("2130706433", "no address"),
    ("127.1", "no address"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "223.255.255.254", "2606:4700:4700::1111", "2a00:1450:4001::200e"]
_NEVER = [
    IPv4Network(network)
    for network in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                    "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3")
]  # fmt: skip


def test_an_address_that_is_not_public() -> None:
    assert [(address, what) for address, what in PRIVATE if is_public(address)] == []


def test_a_public_address() -> None:
    assert [address for address in PUBLIC if not is_public(address)] == []


@given(st.ip_addresses(v=4))
def test_no_address_of_a_private_network_is_public(address: IPv4Address) -> None:
    assert not is_public(str(address)) or not any(address in network for network in _NEVER)


@given(st.sampled_from(_NEVER), st.integers(0, 2**32))
def test_nor_is_it_in_any_form_of_ipv6(network: IPv4Network, number: int) -> None:
    address = network[number % network.num_addresses]
    value = int(address)
    forms = [value, 0xFFFF << 32 | value, 0xFFFF << 48 | value, 0x64FF9B << 96 | value, 0x2002 << 112 | value << 80,
             0x20010000 << 96 | (value ^ 0xFFFFFFFF)]  # fmt: skip
    assert not is_public(str(address))
    for form in map(IPv6Address, forms):
        assert not is_public(str(form))
        assert not is_public(form.exploded)


@given(st.ip_addresses(v=6))
def test_ipv6_is_public_only_where_it_was_given_out(address: IPv6Address) -> None:
    assert not is_public(str(address)) or address in IPv6Network("2000::/3")
