"""One example of every request of people."""

from beistand import protocol as p
from beistand.domain.account import AccountRole
from beistand.domain.config import ModuleConfig
from beistand.domain.mail import Encryption, MailText
from beistand.domain.role import Side
from beistand.domain.value import Value
from fakes.situations import A, appliance, grant

EXAMPLES: tuple[Value, ...] = (
    p.Hello(version="1"),
    p.GetStatus(),
    p.Init(
        role="active", interface="e", own_address="192.0.2.1/24", service_address="192.0.2.9", profile="x"
    ),
    p.FetchHostKey(server="192.0.2.1"),
    p.StartPair(server="192.0.2.1", user="root", password="p", host_key="k"),
    p.AcceptPair(
        pair="0" * 32,
        side=Side.ODD,
        active=appliance(A),
        active_host_key="k",
        public_key="k",
        grant=grant(2, A),
        config=ModuleConfig(),
    ),
    p.StartCycle(),
    p.PlanTakeover(),
    p.StartTakeover(digest="0" * 64, operator="x"),
    p.WatchJob(id="1", seconds=0.0),
    p.CancelJob(id="1"),
    p.GetConfig(),
    p.SetConfig(config=ModuleConfig()),
    p.ListGenerations(),
    p.RetryService(),
    p.LogIn(name="x", password="x"),
    p.LogOut(),
    p.Authenticate(token="x"),
    p.MakeSetupCode(),
    p.UseSetupCode(code="x", name="carl", password="vier kleine ziegen"),
    p.ListAccounts(),
    p.PutAccount(name="carl", role=AccountRole.ADMINISTRATOR, password="vier kleine ziegen"),
    p.RemoveAccount(name="anna"),
    p.ChangePassword(old="x", new="vier kleine ziegen"),
    p.MakeToken(name="probe", role=AccountRole.ADMINISTRATOR),
    p.RemoveToken(id="1"),
    p.CreateBackup(),
    p.ListBackups(),
    p.GetBackup(id="1"),
    p.DeleteBackup(id="1"),
    p.ReadBackup(id="1", offset=0),
    p.BeginUpload(name="x", size=1),
    p.SendUpload(id="1", offset=0, data=b"x"),
    p.CheckUpload(id="1"),
    p.GetUpload(),
    p.DropUpload(id="1"),
    p.ImportUpload(id="1", generation="1"),
    p.GetMail(),
    p.SetMailServer(host="x", port=25, encryption=Encryption.NONE),
    p.SetMailText(text=MailText(kind="users-takeover", subject="x", body="x")),
    p.SendTestMail(address="a@example.org"),
    p.ListUsers(),
    p.RetryMails(),
    p.TryStandby(),
    p.GetLicences(),
    p.InstallLicences(file="x"),
    p.InstallLicence(key="x"),
    p.RemoveLicence(key="x"),
    p.GetNetwork(),
    p.GetCoverage(),
    p.ReadModuleLog(),
    p.ReadAudit(),
    p.RemoveConfig(),
    p.GetUpdate(),
    p.PauseCycles(),
    p.ResumeCycles(),
)
