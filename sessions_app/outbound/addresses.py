"""Which addresses are public: those of the internet, which anybody reaches in the same way.

Python's `is_global` alone is not enough: by it multicast is global, and so are IPv6 addresses that stand for IPv4
ones, whatever these are. What a release of Python takes for global also changes; so IPv6 is allowed by what has been
given out, and not refused by what is special.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_SPECIAL_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "192.0.0.0/24",  # of protocols; clouds have services of their own there
        "192.88.99.0/24",  # relays to 6to4
        "168.63.129.16/32",  # the host of a machine at Azure, as that machine reaches it
    )
)
_GIVEN_OUT_IPV6 = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # of protocols: Teredo, which stands for IPv4, ORCHID, benchmarks
        "2001:db8::/32",  # examples
        "2002::/16",  # 6to4: each stands for an IPv4 address
        "3fff::/20",  # examples
    )
)


def is_public(address: str) -> bool:
    """Tell whether an address (digits, no name) is public; what is no address is not."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_ipv4(parsed) if isinstance(parsed, IPv4Address) else _is_public_ipv6(parsed)


def _is_public_ipv4(address: IPv4Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or any(address in network for network in _SPECIAL_IPV4)
    return address.is_global and not is_special


def _is_public_ipv6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in _GIVEN_OUT_IPV6:
        return False
    return not any(address in network for network in _SPECIAL_IPV6)
