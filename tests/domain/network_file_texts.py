"""Network files as administrators really have them; 192.0.2.10 is what the phones know."""

from beistand.domain.network_file import Manager

NETWORKD = """\
# Written by hand.  Phones: 192.0.2.10
[Match]
Name=eth0

[Network]
  Address = 192.0.2.10/24
Address=2001:db8::10/64
Gateway=192.0.2.254
DNS=192.0.2.254
; the old net
[Address]
Address=198.51.100.7/24
Label=old
"""
NETWORKD_SECTION = """\
[Match]
MACAddress=02:00:00:00:00:01

[Address]
Address=192.0.2.10/24
Label=phones

[Route]
Gateway=192.0.2.254
"""
NETWORKD_DROPIN = "[Network]\nAddress=192.0.2.10/24"
INTERFACES = """\
# The loopback network interface
auto lo
iface lo inet loopback

source /etc/network/interfaces.d/*

allow-hotplug eth0
iface eth0 inet static
\taddress 192.0.2.10
\tnetmask 255.255.255.0
\tbroadcast 192.0.2.255
\tgateway 192.0.2.254\x20\x20
\t# dns-* options are implemented by the resolvconf package
\tdns-nameservers 192.0.2.254 \\
\t    198.51.100.1

iface eth0 inet6 static
\taddress 2001:db8::10/64
"""
INTERFACES_MORE = """\
auto eth0 eth0:0
iface eth0 inet static
    address 192.0.2.1/24
    gateway 192.0.2.254
    up   ip -4 addr add 192.0.2.11/24 dev $IFACE || true
    down ip -4 addr del 192.0.2.11/24 dev $IFACE || true

iface eth0:0 inet static
    address 192.0.2.10/24
    dns-search example.org
"""
PROFILE = """\
[connection]
id=Wired connection 1
uuid=9d8a3a4e-0f0c-4f6b-9a57-7f7c3e2a5c11
type=ethernet
interface-name=eth0

# the phones' net
[ipv4]
address1=192.0.2.10/24,192.0.2.254
address2=198.51.100.7/24
dns=192.0.2.254;
method=manual

[ipv6]
address1=2001:db8::10/64
method=manual
"""
PROFILE_OLD = "[connection]\nid=a\n[ipv4]\nmethod=manual\naddresses1=192.0.2.10;24;192.0.2.254;\n"
NETPLAN = """\
# This is the network config, 192.0.2.10 is the PBX
network:
  version: 2
  renderer: networkd
  ethernets:
    eth0:
      dhcp4: no
      addresses:
        # what phones know
        - "192.0.2.10/24"      # ten
        - 2001:db8::10/64
        - 198.51.100.7/24:
            label: eth0:old
      routes:
        - {to: default, via: 192.0.2.254}
      nameservers: {addresses: [192.0.2.254]}
"""
NETPLAN_FLOW = """\
network: {version: 2, ethernets: {lan: {match: {macaddress: "02:00:00:00:00:01"}, set-name: eth0,
    addresses: [ 198.51.100.7/24 ,
                 192.0.2.10/24, ]}}}
"""
NETPLAN_VLAN = """\
network:
    version: 2
    vlans:
        eth0.20: {id: 20, link: eth0, addresses: ['192.0.2.10/24']}
    bridges:
        br0:
            interfaces: [eth1]
            addresses:
            - 203.0.113.5/28
"""
TEXTS: dict[str, tuple[Manager, str]] = {
    "networkd": (Manager.NETWORKD, NETWORKD),
    "networkd-windows": (Manager.NETWORKD, NETWORKD.replace("\n", "\r\n")),
    "networkd-section": (Manager.NETWORKD, NETWORKD_SECTION),
    "networkd-dropin": (Manager.NETWORKD, NETWORKD_DROPIN),
    "interfaces": (Manager.IFUPDOWN, INTERFACES),
    "interfaces-windows": (Manager.IFUPDOWN, INTERFACES.replace("\n", "\r\n")),
    "interfaces-more": (Manager.IFUPDOWN, INTERFACES_MORE),
    "profile": (Manager.NETWORK_MANAGER, PROFILE),
    "profile-old": (Manager.NETWORK_MANAGER, PROFILE_OLD),
    "netplan": (Manager.NETPLAN, NETPLAN),
    "netplan-windows": (Manager.NETPLAN, NETPLAN.replace("\n", "\r\n")),
    "netplan-flow": (Manager.NETPLAN, NETPLAN_FLOW),
    "netplan-vlan": (Manager.NETPLAN, NETPLAN_VLAN),
}
