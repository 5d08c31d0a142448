"""Build the adapters: the one place that knows them all."""

from functools import cached_property

from beistand.adapters.address_gate import KernelAddressGate
from beistand.adapters.addresses import NetlinkAddresses
from beistand.adapters.arp import NOBODY, RawArp
from beistand.adapters.backup_folder import BackupFolder, UploadFolder
from beistand.adapters.clock import SystemClock
from beistand.adapters.connections import KernelConnections
from beistand.adapters.console import SocketConsole
from beistand.adapters.contacts import SqliteContacts
from beistand.adapters.databases import registry
from beistand.adapters.disk import LocalDisk
from beistand.adapters.export_file import ExportFiles
from beistand.adapters.export_signatures import ExportSignatures
from beistand.adapters.file_systems import LocalFileSystems
from beistand.adapters.folders import trusted_folders
from beistand.adapters.guard_notes import GuardNotes
from beistand.adapters.introduction import SshIntroduction
from beistand.adapters.keys import SshKeys
from beistand.adapters.licence_signatures import Ed25519Signatures, SellerFolder
from beistand.adapters.lines import ConfiguredLines
from beistand.adapters.live_addresses import NetlinkLiveAddresses
from beistand.adapters.machine import LocalMachine
from beistand.adapters.manifests import ManifestFolder
from beistand.adapters.module_log import ModuleLog
from beistand.adapters.netfilter import NetfilterChanges
from beistand.adapters.network_changes import NetlinkChanges
from beistand.adapters.network_files import SystemNetworkFiles
from beistand.adapters.network_managers import LocalNetworkManagers
from beistand.adapters.origins import KernelOrigins
from beistand.adapters.passwords import Argon2Passwords
from beistand.adapters.processes import ProcProcesses
from beistand.adapters.profiles import Profiles
from beistand.adapters.readers import Readers
from beistand.adapters.records import LocalRecords
from beistand.adapters.registers import KernelRegisters
from beistand.adapters.rsync import check_rsync
from beistand.adapters.scan import TreeScanner
from beistand.adapters.services import SystemdServices
from beistand.adapters.settings import read_installation, read_loosely, settings_file
from beistand.adapters.signs import NetworkSigns
from beistand.adapters.sip import UdpSipProbe
from beistand.adapters.sip_notify import SipPhoneTeller
from beistand.adapters.smtp import SmtpMailer
from beistand.adapters.ssh import SshPeer
from beistand.adapters.ssh_line import SshLine
from beistand.adapters.staging_folders import StagingFolders
from beistand.adapters.store import SqliteStore
from beistand.adapters.time_servers import TimeServerFiles
from beistand.adapters.user_directory import FileUsers
from beistand.adapters.watched_folders import LocalFolders
from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.installation import Installation
from beistand.domain.pair import Pair
from beistand.ports.node import Node
from beistand.ports.peer import Peer
from beistand.ports.places import Places

STATE_FILE = "state.db"


class Wiring:
    """The real outside of this machine. Raises BeistandError where the state cannot be opened."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._known: Installation | None = None
        self.readers = Readers(cleared=(places.run, places.state))
        self.clock = SystemClock()
        self.store = SqliteStore(places.state / STATE_FILE)
        self.addresses = NetlinkAddresses(places.run / "routes.json")
        self.live_addresses = NetlinkLiveAddresses(self.addresses)
        self.network_files = SystemNetworkFiles()
        self.network_managers = LocalNetworkManagers()
        self.address_gate, self.origins = KernelAddressGate(), KernelOrigins()
        self.arp = RawArp(self._own_ip)
        self.signs = NetworkSigns()
        self.sip = UdpSipProbe()
        self.connections = KernelConnections()
        self.guard_notes = GuardNotes(places.guard_note, places.kept_network_files)
        self.phone_teller = SipPhoneTeller()
        self.mailer = SmtpMailer()
        self.users = FileUsers(self.readers)
        self.services = SystemdServices(places.gate, readers=self.readers)
        self.contacts = SqliteContacts(self.readers, places.run)
        self.console = SocketConsole()
        self.registers = KernelRegisters()
        self.scanner = TreeScanner(places.state)
        self.manifests = ManifestFolder(places)
        self.profiles = Profiles(places.etc / "profile.d")
        self.keys = SshKeys(folder=places.state / "keys")
        self.time_servers = TimeServerFiles()
        self.lines = ConfiguredLines(self.readers)
        self.records = LocalRecords(self.readers, places.state)
        self.watched_folders = LocalFolders()
        self.module_log = ModuleLog(places.log)
        self.signatures = Ed25519Signatures()
        self.sellers = SellerFolder(places.etc / "sellers.d")
        self.passwords = Argon2Passwords()
        self.exports = ExportFiles(ExportSignatures(keys=self.keys))
        self.file_systems = LocalFileSystems()
        self.backups = BackupFolder(places.backups)
        self.upload = UploadFolder(places.upload)
        self.introduction = SshIntroduction(run=places.run)

    @cached_property
    def machine(self) -> LocalMachine:
        return LocalMachine()

    @cached_property
    def processes(self) -> ProcProcesses:
        return ProcProcesses()

    def installation(self) -> Installation:
        """Raises Refused `not-initialised`, Failed `settings-wrong`."""
        return read_installation(self.places.etc)

    def node(self) -> Node | None:
        """Return this appliance as the operations see it; None before `init`.

        Raises Failed `settings-missing`, and BeistandError for settings or a profile that cannot be read.
        """
        if not self.store.is_initialised():
            return None
        if not settings_file(self.places.etc).exists():
            raise Failed("settings-missing", path=str(settings_file(self.places.etc)))
        installation = self._known = self.installation()
        profile = self.profiles.load(installation.profile)
        pair = self.store.pair()
        return Node(
            installation=installation,
            profile=profile,
            places=self.places,
            clock=self.clock,
            store=self.store,
            addresses=self.addresses,
            address_gate=self.address_gate,
            arp=self.arp,
            signs=self.signs,
            sip=self.sip,
            connections=self.connections,
            services=self.services,
            contacts=self.contacts,
            console=self.console,
            disk=LocalDisk(trusted_folders(profile), reserve=self.store.reserve, readers=self.readers),
            scanner=self.scanner,
            manifests=self.manifests,
            databases=registry(self.readers),
            peer=self.peer(pair) if pair else None,
        )

    def network_changes(self) -> NetlinkChanges:
        """Listen to the kernel from now on."""
        return NetlinkChanges(self.origins.hear)

    def rule_changes(self) -> NetfilterChanges:
        """Listen to the kernel's rules from now on."""
        return NetfilterChanges()

    def peer(self, pair: Pair) -> Peer:
        """Return the channel to this peer; it connects when it is first used."""
        return _peer(pair, self.installation().own_ip, self.keys, self.places)

    def check_transfer(self) -> None:
        """Raise Failed `rsync-changed`, CommandFailed: the rsync of this machine does not do what cycles need."""
        check_rsync(self.places.state)

    def _own_ip(self) -> str:
        """Return what ARP asks from: never from an address that is another machine's, as on a copy of its disk."""
        # Settings that are damaged later must not make a running appliance deaf.
        installation = self._known or self.installation()
        is_there = self.addresses.has(installation.interface, installation.own_ip)
        return installation.own_ip if is_there else NOBODY


class LeaveWiring:
    """The outside as it is needed to take Beistand away: also where the state cannot be opened any more."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.installation = read_loosely(places.etc)
        self.store: SqliteStore | None = None
        self.trouble: BeistandError | None = None
        try:
            # A state that is not there is not made: asking leaves nothing behind.
            self.store = (
                SqliteStore(places.state / STATE_FILE) if (places.state / STATE_FILE).exists() else None
            )
        except BeistandError as error:
            self.trouble = error
        self.clock = SystemClock()
        self.addresses = NetlinkAddresses(places.run / "routes.json")
        self.live_addresses = NetlinkLiveAddresses(self.addresses)
        self.network_files = SystemNetworkFiles()
        self.network_managers = LocalNetworkManagers()
        self.arp = RawArp(NOBODY)
        self.services = SystemdServices(places.gate)
        self.profiles = Profiles(places.etc / "profile.d")
        self.backups = BackupFolder(places.backups)
        self.staging = StagingFolders()

    def end_pair(self, pair: Pair) -> None:
        """Have the peer forget us, over the pair's own keys. Raises BeistandError."""
        installation = self.installation
        if installation is None:
            raise Refused("not-initialised")
        peer = _peer(pair, installation.own_ip, SshKeys(folder=self.places.state / "keys"), self.places)
        try:
            peer.end_pair(pair.id)
        finally:
            peer.close()


def _peer(pair: Pair, own_ip: str, keys: SshKeys, places: Places) -> SshPeer:
    line = SshLine(
        own_ip=own_ip,
        server=pair.peer.own_address.split("/")[0],
        private_key=keys.private_key,
        known_hosts=keys.known_hosts,
        run=places.run,
    )
    return SshPeer(line, pair.id)
