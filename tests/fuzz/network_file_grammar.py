"""Network files made up from what their managers' manuals and readers know, and from what people get wrong."""

from hypothesis import strategies as st

SERVICE = "192.0.2.10"
OWN = "192.0.2.1"
_LENGTHS = ["/24", "/255.255.255.0", "", "/ 24", "/024", "/24x", "/33", "/0x18"]
_BEHIND = ["", " ", "\t", " # phones", "# phones: old", " more", " ; true", "\0 end"]
_IPS = [SERVICE] * 6 + [OWN] * 3 + ["192.0.2.012", "192.000.002.010", "0xc0.0.2.10", "2001:db8::10", "here"]
_ENDS = ["\n"] * 8 + ["\r\n", "\n\n", "\n# note\n", "\n # note \\\n"]
_BLANKS = [" "] * 6 + ["\t", "  ", " \\\n", " \\\n\t"]


def _one(*choices: str) -> st.SearchStrategy[str]:
    return st.sampled_from(choices)


ADDRESSES = st.builds("{}{}".format, st.sampled_from(_IPS), st.sampled_from(["/24"] * 6 + _LENGTHS))
_COMMANDS = st.builds(
    "{} {}{}{}".format,
    _one("up", "post-up", "pre-up", "down"),
    _one("ip addr add ", "ip a a local ", "/sbin/ip -4 address replace ", "ip addr add dev eth0 ", "echo "),
    ADDRESSES,
    _one(" dev eth0", " dev $IFACE || true", ' dev "$IFACE" # more', " && true", " brd + dev eth0; true"),
)
_OPTIONS = st.one_of(
    st.builds(lambda *parts: "".join(parts), st.just("address"), _one(*_BLANKS), ADDRESSES, _one(*_BEHIND)),
    st.builds(lambda *parts: "".join(parts), st.just("address"), _one(*_BLANKS), ADDRESSES, _one(*_BEHIND)),
    _COMMANDS,
    _one("netmask 255.255.255.0", "netmask 24", "gateway 192.0.2.254", "mtu 1400", "auto", "allow-hotplug"),
    _one(f"mtu 1400 ; ip addr add {SERVICE}/24 dev eth0; true", f"dns-nameservers {SERVICE}", "inherit lan"),
)
_OPENINGS = _one(
    *["iface eth0 inet static"] * 4,
    *(
        "iface eth0",
        "iface eth0 inet manual",
        "iface eth0 inherits lan",
        "iface eth0 inet static inherits lan",
    ),
    *("iface eth0 inet inherits lan", "iface eth0 inet static # lan", "\tiface\teth0\tinet\tstatic "),
)
_LANS = _one("", "", "iface lan inet static", "template lan", "iface lan inet manual")
# ifupdown takes nothing of a file with one line that it does not know: half of the files have none.
_KNOWN = _one(
    *["iface eth0 inet static"] * 3,
    *(
        "iface eth0 inet manual",
        "iface eth0 inet static inherits lan",
        "\tiface\teth0\tinet\tstatic ",
        "iface eth0 inherits lan",
    ),
)
_SOURCES = _one(
    *["", ""],
    *("source interfaces.d/*", "source /none /etc/network/interfaces.d/more", 'source "interfaces.d/more"'),
    *(
        "source-dir interfaces.d",
        "source-directory /etc/network/inter*.d # more",
        "source interfaces.d/m[^a]re",
    ),
    *("source \\\n interfaces.d/more", "source ${NONE:-interfaces.d}/more", "source interfaces.d/more$((1))"),
)


@st.composite
def _stanza(draw: st.DrawFn, openings: st.SearchStrategy[str]) -> str:
    opening = draw(openings)
    if not opening:
        return ""
    lines = [opening, *(f" {each}" for each in draw(st.lists(_OPTIONS, min_size=1, max_size=4)))]
    return "".join(line + draw(st.sampled_from(_ENDS)) for line in lines)


@st.composite
def interfaces(draw: st.DrawFn) -> dict[str, str]:
    """Return the files of ifupdown by their paths; eth0 comes up with them where they are right."""
    is_known = draw(st.booleans())
    openings = _KNOWN if is_known else _OPENINGS
    lan = "iface lan inet static\n gateway 192.0.2.254\n" if is_known else draw(_stanza(_LANS))
    stanzas = draw(st.lists(_stanza(openings), min_size=int(is_known), max_size=2))
    main = [lan, "auto eth0\n", *stanzas, draw(_SOURCES), "\n"]
    more = "".join(draw(st.lists(_stanza(openings), max_size=1)))
    return {
        "etc/network/interfaces": "".join(main),
        "etc/network/interfaces.d/more": more,
        "etc/network/interfaces.d/more1": more,
    }


@st.composite
def network(draw: st.DrawFn) -> dict[str, str]:
    """Return a file of systemd-networkd and a drop-in."""
    values = st.builds(lambda *parts: "".join(parts), ADDRESSES, _one(*_BEHIND))
    gap = _one("=", " = ", "=\\\n", " = \\\n# note\n; note\n  ")
    entry = st.builds(
        "{}{}{}".format, _one(*["Address"] * 5, "Peer", "Broadcast", "DNS", "Label", "address"), gap, values
    )
    heading = _one(
        *["[Network]"] * 3, "[Address]", "[Address]", " [Network] ", "[DHCPServer]\nServerAddress="
    )
    end = st.sampled_from(["\n"] * 8 + ["\r\n", "\r", "\0", "\n\n", "\n# note \\\n"])

    def body() -> str:
        parts = [draw(_one("", "", "\ufeff"))]
        for _ in range(draw(st.integers(1, 3))):
            parts += [draw(heading), draw(end)]
            for each in draw(st.lists(entry, min_size=1, max_size=3)):
                parts += [each, draw(end)]
        return "".join(parts)

    return {
        "etc/systemd/network/a.network": f"[Match]\nName=eth0\n{body()}",
        "etc/systemd/network/a.network.d/more.conf": draw(st.one_of(st.just(""), st.builds(body))),
    }


@st.composite
def profile(draw: st.DrawFn) -> dict[str, str]:
    """Return a profile of NetworkManager."""
    key = _one("address1", "address2", "address", "addresses", "addresses1", "address0", "dns", "address1000")
    more = _one("", "", ",192.0.2.254", ";192.0.2.254;", " # phones", ", 192.0.2.254", "\\s", "/")
    value = st.builds(
        lambda ip, mark, length, behind: f"{ip}{mark}{length}{behind}",
        *(
            st.sampled_from([*_IPS]),
            _one("/", "/", ";", ",", " / "),
            _one("24", "24", "33", "024", ""),
            more,
        ),
    )
    entry = st.builds("{}{}{}".format, key, _one("=", " = "), value)
    lines = ["[connection]", "id=a", "uuid=9d8a3a4e-0f0c-4f6b-9a57-7f7c3e2a5c11", "type=ethernet"]
    lines += [draw(_one("[ipv4]", "[ipv4]", " [ipv4] ")), draw(_one("method=manual", "method=auto"))]
    lines += draw(st.lists(entry, min_size=1, max_size=4))
    end = draw(_one("\n", "\n", "\r\n"))
    return {"etc/NetworkManager/system-connections/a": end.join(lines) + end}


@st.composite
def plan(draw: st.DrawFn) -> dict[str, str]:
    """Return files of netplan, in the layouts that YAML has for one thing."""
    ip = st.sampled_from(_IPS)
    quote = draw(_one("", '"', "'"))
    entry = st.builds(
        lambda ip, length: f"{quote}{ip}{length}{quote}", ip, _one("/24", "/24", "/24 x", "", "/33")
    )
    entries = draw(st.lists(entry, min_size=1, max_size=3))
    layout = draw(st.integers(0, 5))
    indent = "      "
    match layout:
        case 0:
            said = f"{indent}addresses: [{', '.join(entries)}]\n"
        case 1:
            said = f"{indent}addresses:\n" + "".join(f"{indent}- {each} # note\n" for each in entries)
        case 2:
            said = f"{indent}addresses:\t&a [{' , '.join(entries)} ,]\n    eth1:\n{indent}addresses: *a\n"
        case 3:
            said = f"{indent}addresses:\n" + "".join(
                f"{indent}- {each}:\n{indent}    label: x\n" for each in entries
            )
        case 4:
            said = f"{indent}? addresses\n{indent}: [{', '.join(entries)}]\n"
        case _:
            said = f"{indent}renderer: NetworkManager\n{indent}networkmanager:\n{indent}  passthrough:\n"
            said += "".join(f"{indent}    ipv4.address{at}: {each}\n" for at, each in enumerate(entries))
    head = draw(_one("", "", "\ufeff", "---\n", "# note\n"))
    tail = draw(_one("", "", "...\nwhat: [\n", "---\na: b\n", "    eth2: {dhcp4: no}\n"))
    return {"etc/netplan/a.yaml": f"{head}network:\n  version: 2\n  ethernets:\n    eth0:\n{said}{tail}"}
