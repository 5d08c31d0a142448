"""Backups: make one, list, look at one, download, delete, and when they are made by themselves (S14, S12)."""

from collections.abc import Iterator
from contextlib import ExitStack

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from beistand.domain.errors import BeistandError
from beistand.domain.job import Job
from beistand.protocol import (
    BackupDetails,
    BackupList,
    Chunk,
    CreateBackup,
    DeleteBackup,
    GetBackup,
    ListBackups,
    ReadBackup,
)
from beistand.web.agent_link import AgentLink
from beistand.web.answers import see_other
from beistand.web.asking import Request
from beistand.web.confirming import ask_surely, tell_refusal
from beistand.web.forms.backups import BackupScheduleForm, NewBackupForm
from beistand.web.forms.refusals import tell_at
from beistand.web.forms.schedule import next_runs, rhythm
from beistand.web.going import see_job
from beistand.web.module_state import module_state
from beistand.web.pages.module import locked_fields
from beistand.web.pages.module import save as save_config
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.telling import notice, told
from beistand.web.zone import local_now, local_zone

READ_SECONDS = 60.0


@for_viewers
def backups(request: Request) -> HttpResponseBase:
    return _page(request)


@require_POST
@for_administrators
def create(request: Request) -> HttpResponseBase:
    form = NewBackupForm(request.POST)
    if not form.is_valid():
        return _page(request, new=form)
    try:
        job = request.agent.ask(CreateBackup(passphrase=form.cleaned_data["passphrase"]), Job)
    except BeistandError as error:
        if not tell_at(form, error.message):
            told(request, error)
        return _page(request, new=form)
    return see_job(job.id, "backups")


@require_POST
@for_administrators
def schedule(request: Request) -> HttpResponseBase:
    """Save when backups are made; the button `preview` only shows the next runs."""
    state = module_state(request)
    if not state.is_configured:
        return see_other("backups")
    form = BackupScheduleForm(request.POST, config=state.config, now=local_now())
    if form.is_valid() and "preview" not in request.POST:
        try:
            save_config(request, state, form.changed(state.config))
        except BeistandError as error:
            if not tell_at(form, error.message):
                tell_refusal(request, error)
        else:
            notice(request, "web.backups.saved")
            return see_other("backups")
    return _page(request, form=form)


@for_viewers
def backup(request: Request, id: str) -> HttpResponseBase:  # noqa: A002  as the message names it
    """What is in one backup."""
    details = request.agent.ask(GetBackup(id=id), BackupDetails)
    return render(request, "backup.html", {"details": details, "backup": details.backup})


@for_administrators
def delete(request: Request, id: str) -> HttpResponseBase:  # noqa: A002
    """Delete a backup, after a page that names it."""
    details = request.agent.ask(GetBackup(id=id), BackupDetails)
    if request.method == "POST":
        try:
            ask_surely(request, DeleteBackup(id=id), BackupList)
        except BeistandError as error:
            tell_refusal(request, error)
        else:
            notice(request, "web.backups.deleted")
            return see_other("backups")
    return render(request, "backup_delete.html", {"details": details, "backup": details.backup})


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def download(request: Request, id: str) -> HttpResponseBase:  # noqa: A002
    """Ask for the password, then pass the backup on as one file, in pieces as the agent reads it."""
    details = request.agent.ask(GetBackup(id=id), BackupDetails)
    if request.method == "POST":
        try:
            return _file(request, details)
        except BeistandError as error:
            told(request, error)
    return render(request, "backup_download.html", {"details": details, "backup": details.backup})


def _file(request: Request, details: BackupDetails) -> HttpResponseBase:
    id = details.backup.id  # noqa: A001  as the message names it
    with ExitStack() as stack:
        agent = stack.enter_context(request.agent.confirmed(request.POST.get("password", "")))
        # The first piece before the answer begins: what the agent refuses is still a page then.
        first = agent.ask(ReadBackup(id=id, offset=0), Chunk, READ_SECONDS)
        pieces = _pieces(agent, id, first, stack.pop_all())
    response = StreamingHttpResponse(pieces, content_type="application/octet-stream")
    response["Content-Length"] = str(details.backup.file_size)
    response["Content-Disposition"] = f'attachment; filename="{file_name(details)}"'
    return response


def file_name(details: BackupDetails) -> str:
    """Return a name that says where and when: `beistand-pbx-a-20261122T180657Z-12.beistand`."""
    host = "".join(each for each in details.host if each.isascii() and (each.isalnum() or each in "-_."))
    return f"beistand-{host or 'backup'}-{details.backup.generation.id}.beistand"


def _pieces(agent: AgentLink, id: str, piece: Chunk, stack: ExitStack) -> Iterator[bytes]:  # noqa: A002
    with stack:
        offset = 0
        while True:
            yield piece.data
            offset += len(piece.data)
            if piece.is_last:
                return
            piece = agent.ask(ReadBackup(id=id, offset=offset), Chunk, READ_SECONDS)


def _page(
    request: Request, *, new: NewBackupForm | None = None, form: BackupScheduleForm | None = None
) -> HttpResponseBase:
    state = module_state(request)
    listed = request.agent.ask(ListBackups(), BackupList)
    now, zone = local_now(), local_zone()
    form = form or BackupScheduleForm(config=state.config, now=now)
    values = {
        "state": state,
        "listed": listed,
        "newest": next(iter(listed.backups), None),
        "total": sum(each.file_size for each in listed.backups),
        "new": new or NewBackupForm(),
        "form": locked_fields(form, state),
        "rhythm": rhythm(form.schedule),
        "runs": next_runs(form.schedule, now, zone),
    }
    return render(request, "backups.html", values)
