"""Module → Redundanz → Standby-Import: the first import by upload, in two acts (S16)."""

from dataclasses import dataclass
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from beistand.domain.errors import BeistandError, Refused
from beistand.domain.job import Job
from beistand.domain.message import Message, message
from beistand.domain.role import Role
from beistand.protocol import CheckUpload, Done, DropUpload, GetUpload, ImportUpload, Status, UploadView
from beistand.web.answers import SeeOther, see_other
from beistand.web.asking import Request
from beistand.web.forms.refusals import tell_at
from beistand.web.forms.standby import ImportForm, PassphraseForm
from beistand.web.going import see_job
from beistand.web.module_state import module_state
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.telling import notice, told
from beistand.web.uploading import AgentUpload

END = "end"
"""Name of the field behind the file: where it is missing, the body was cut off before its end."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do on the way to a standby, and whether it is done."""

    what: Message
    is_done: bool
    is_next: bool = False


def guide(status: Status, view: UploadView) -> tuple[Step, ...]:
    """Return the steps in order; the first that is not done is the next."""
    is_here = bool(view.id)
    is_shown = view.generation is not None and view.problem is None
    is_saved = status.usable is not None and not is_here
    done = [
        (message("web.import.step.pair"), bool(status.pair)),
        (message("web.import.step.backup"), is_here or is_saved),
        (message("web.import.step.upload"), is_here or is_saved),
        (message("web.import.step.look"), is_shown or is_saved),
        (message("web.import.step.save"), is_saved),
    ]
    following = next((number for number, (_, is_done) in enumerate(done) if not is_done), len(done))
    return tuple(
        Step(what=what, is_done=is_done, is_next=number == following)
        for number, (what, is_done) in enumerate(done)
    )


@for_viewers
def standby_import(request: Request) -> HttpResponseBase:
    """The steps in order, and where they stand; on the active, that nothing has to be done here."""
    return _tab(request)


# The token stands in the body: it is checked below, after the pieces of the file have somewhere to go. A form
# of another site ends before that: its Origin is checked before the body is read.
@csrf_exempt
@require_POST
@for_administrators
def upload(request: Request) -> HttpResponseBase:
    """Hand the file on while it comes; whatever stops it, nothing of it stays."""
    handler = AgentUpload(request)
    request.upload_handlers = [handler]
    is_whole = False
    try:
        answer = _received(request, handler)
        is_whole = isinstance(answer, SeeOther)
        return answer
    finally:
        if not is_whole:
            handler.drop()


@csrf_protect
def _received(request: Request, handler: AgentUpload) -> HttpResponseBase:
    is_whole = END in request.POST  # reading it is what moves the file
    try:
        if handler.error:
            raise handler.error
        if not handler.id:
            raise Refused("web.import.no-file")
        if not is_whole:
            raise Refused("web.import.broken-off")
        job = request.agent.ask(CheckUpload(id=handler.id), Job)
    except BeistandError as error:
        told(request, error)
        return _tab(request)
    return see_job(job.id, "module-import")


@require_POST
@for_administrators
def unlock(request: Request) -> HttpResponseBase:
    """Check the file again, with its passphrase."""
    form = PassphraseForm(request.POST)
    if not form.is_valid():
        return _tab(request, passphrase=form)
    given = form.cleaned_data
    try:
        job = request.agent.ask(CheckUpload(id=given["upload"], passphrase=given["passphrase"]), Job)
    except BeistandError as error:
        told(request, error)
        return _tab(request)
    return see_job(job.id, "module-import")


@require_POST
@for_administrators
def drop(request: Request) -> HttpResponseBase:
    try:
        request.agent.ask(DropUpload(id=request.POST.get("upload", "")), Done)
    except BeistandError as error:
        told(request, error)
        return _tab(request)
    notice(request, "web.import.dropped")
    return see_other("module-import")


@require_POST
@for_administrators
def save(request: Request) -> HttpResponseBase:
    """The second act: overwrite the data of this appliance with what was shown."""
    form = ImportForm(request.POST, host=request.agent.status().host)
    if form.is_valid():
        given = form.cleaned_data
        try:
            with request.agent.confirmed(given["own_password"]) as agent:
                asked = ImportUpload(id=given["upload"], generation=given["generation"])
                return see_job(agent.ask(asked, Job).id, "module-import")
        except BeistandError as error:
            if not tell_at(form, error.message):
                told(request, error)
    return _tab(request, form=form)


def _tab(
    request: Request, *, form: ImportForm | None = None, passphrase: PassphraseForm | None = None
) -> HttpResponseBase:
    state = module_state(request)
    view = request.agent.ask(GetUpload(), UploadView) if state.status.role is Role.STANDBY else None
    values: dict[str, Any] = {"state": state, "upload": view, "tab": "import"}
    if view:
        values["steps"] = guide(state.status, view)
        values["is_done"] = all(each.is_done for each in values["steps"])
    if view and view.id:
        shown = {"upload": view.id, "generation": view.generation.id if view.generation else ""}
        values["form"] = form or ImportForm(host=state.status.host, initial=shown)
        values["passphrase"] = passphrase or PassphraseForm(initial=shown)
    return render(request, "module_import.html", values)
