"""Every page's address."""

from django.urls import path

from beistand.web import appearance
from beistand.web.pages import (
    access,
    api,
    backups,
    errors,
    licences,
    logs,
    mail,
    module,
    network,
    overview,
    standby,
    standby_import,
    takeover,
    takeover_progress,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("log-in/", access.log_in, name="log-in"),
    path("log-out/", access.log_out, name="log-out"),
    path("module/", module.modules, name="module"),
    path("module/create/", module.create, name="module-create"),
    path("module/delete/", module.delete, name="module-delete"),
    path("module/redundancy/general/", module.general, name="module-general"),
    path("module/redundancy/settings/", module.settings, name="module-settings"),
    path("module/redundancy/standby/", standby.standby, name="module-standby"),
    path("module/redundancy/standby/host-key/", standby.fetch, name="module-standby-fetch"),
    path("module/redundancy/standby/pair/", standby.pair, name="module-standby-pair"),
    path("module/redundancy/standby/try/", standby.attempt, name="module-standby-try"),
    path("module/redundancy/standby/replug/", standby.replug, name="module-standby-replug"),
    path("module/redundancy/import/", standby_import.standby_import, name="module-import"),
    path("module/redundancy/import/upload/", standby_import.upload, name="module-import-upload"),
    path("module/redundancy/import/unlock/", standby_import.unlock, name="module-import-unlock"),
    path("module/redundancy/import/drop/", standby_import.drop, name="module-import-drop"),
    path("module/redundancy/import/save/", standby_import.save, name="module-import-save"),
    path("backups/", backups.backups, name="backups"),
    path("backups/new/", backups.create, name="backup-create"),
    path("backups/schedule/", backups.schedule, name="backup-schedule"),
    path("backups/<str:id>/", backups.backup, name="backup"),
    path("backups/<str:id>/delete/", backups.delete, name="backup-delete"),
    path("backups/<str:id>/file/", backups.download, name="backup-download"),
    path("licences/", licences.licences, name="licences"),
    path("licences/<str:key>/remove/", licences.remove, name="licence-remove"),
    path("mail/", mail.mail, name="mail"),
    path("network/", network.network, name="network"),
    path("logs/", logs.logs, name="logs"),
    path("logs/audit/", logs.audit, name="audit"),
    path("admin/redundancy/", takeover.takeover, name="takeover"),
    path("admin/redundancy/evidence/", takeover.evidence, name="takeover-evidence"),
    path("admin/redundancy/<str:job>/", takeover_progress.progress, name="takeover-progress"),
    path("api/", api.api, name="api"),
    path("appearance/", appearance.switch, name="appearance"),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken
